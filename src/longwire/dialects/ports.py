"""What the dialects have in common: what an upstream's error means."""

import re
from typing import NamedTuple

from longwire.core.rules.recovery import Trouble


class ErrorRule(NamedTuple):
    """What one error of an upstream means, known by its `code`, or by its `text` where it has none.

    `status` holds where the upstream names none. Without a `trouble` the status decides what
    it is. `ends_connection`: a WebSocket that brought it serves nothing more. `source` says where
    it was seen.
    """

    code: str
    status: int
    source: str
    trouble: Trouble | None = None
    text: re.Pattern[str] | None = None
    ends_connection: bool = False
