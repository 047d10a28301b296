"""When to try again, as Google's APIs say it in the details of an error."""

import math
import re
from typing import Final

_DURATION: Final = re.compile("[0-9]{1,9}(?:[.][0-9]{1,9})?s")


def retry_after(details: object) -> dict[str, str]:
    """Return the header for a `RetryInfo`, which says `{"retryDelay": "34.4s"}`."""
    for each in details if isinstance(details, list) else ():
        delay = each.get("retryDelay") if isinstance(each, dict) else None
        if isinstance(delay, str) and _DURATION.fullmatch(delay):
            return {"retry-after": str(math.ceil(float(delay[:-1])))}
    return {}
