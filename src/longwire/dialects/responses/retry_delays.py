"""When to try again, as upstreams say it in the body of an error."""

import math
import re
from typing import Final

import msgspec

from longwire.core.errors import UpstreamRejected

_DURATION: Final = re.compile("[0-9]{1,9}(?:[.][0-9]{1,9})?s")


def retry_after(details: object) -> dict[str, str]:
    """Return the header for a `RetryInfo` of Google's, which says `{"retryDelay": "34.4s"}`."""
    for each in details if isinstance(details, list) else ():
        delay = each.get("retryDelay") if isinstance(each, dict) else None
        if isinstance(delay, str) and _DURATION.fullmatch(delay):
            return {"retry-after": str(math.ceil(float(delay[:-1])))}
    return {}


class _Limit(msgspec.Struct):
    resets_at: float | None = None
    resets_in_seconds: float | None = None
    plan_type: str | None = None


class _Limited(msgspec.Struct):
    error: _Limit


def decode_limit(refusal: UpstreamRejected, now: float) -> tuple[float | None, str]:
    """Return until when an account's usage limit refuses turns, and its plan.

    The time is in seconds since 1970 UTC, None if it says nothing of that.
    """
    try:
        limit = msgspec.json.decode(refusal.body, type=_Limited, strict=False).error
    except (msgspec.MsgspecError, RecursionError):
        limit = _Limit()
    if limit.resets_at is not None:
        return limit.resets_at, limit.plan_type or ""
    seconds = limit.resets_in_seconds
    if seconds is None:
        try:
            seconds = float(refusal.headers.get("retry-after", ""))
        except ValueError:
            return None, limit.plan_type or ""
    return now + seconds, limit.plan_type or ""
