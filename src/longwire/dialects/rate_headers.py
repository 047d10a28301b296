"""What is left of a key's rates, as upstreams say in the headers of their answers.

OpenAI and those who follow it have `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, the
last as a duration; Anthropic has `anthropic-ratelimit-{requests,tokens}-…`, the last as a date.
"""

import re
from datetime import datetime
from typing import Final

from longwire.core.nouns.quota import Quota, Window
from longwire.dialects.ports import Headers

_FULLEST: Final = 99.0
"""A rate is never known to refuse: it fills up again while nobody looks."""

_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST: Final = 366 * 86400.0


def decode_rates(headers: Headers, now: float) -> Quota | None:
    """Return the rates as a quota, requests first; None where the headers say nothing of them."""
    requests, tokens = _window(headers, "requests", now), _window(headers, "tokens", now)
    if requests is None and tokens is None:
        return None
    return Quota(primary=requests, secondary=tokens, seen_at=now)


def _window(headers: Headers, of: str, now: float) -> Window | None:
    for prefix, suffix in (("x-ratelimit-", f"-{of}"), (f"anthropic-ratelimit-{of}-", "")):
        limit = _number(headers.get(f"{prefix}limit{suffix}"))
        left = _number(headers.get(f"{prefix}remaining{suffix}"))
        if limit and left is not None:
            used = 100.0 * (1.0 - left / limit)
            resets_at = _resets_at(headers.get(f"{prefix}reset{suffix}", ""), now)
            return Window(min(max(used, 0.0), _FULLEST), resets_at=resets_at)
    return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _resets_at(text: str, now: float) -> float | None:
    """Read a duration such as `1m30s` or `20ms`, or a date."""
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return now + min(sum(float(number) * _SECONDS[unit] for number, unit in parts), _LONGEST)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
