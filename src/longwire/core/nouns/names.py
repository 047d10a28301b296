"""The names that people give to what is kept."""

import re
from collections.abc import Iterator

from longwire.core.errors import FieldProblem

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


def check_name(name: str) -> Iterator[FieldProblem]:
    """Yield what is wrong with a name that is there to be read."""
    if not _NAME.fullmatch(name) or not name.strip():
        yield FieldProblem("name", "write 1 to 100 printable characters")
