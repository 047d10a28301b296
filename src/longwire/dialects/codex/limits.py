"""What the Codex backend says of a subscription's windows: in frames, and in headers.

What cannot be read stays unknown. Wire: protocol of the Codex backend, rate limits; both say the
same, percent used of a primary (short) and a secondary (long) window.
"""

import re
from collections.abc import Mapping

import msgspec

from longwire.core.nouns.quota import Quota, Window

RATE_LIMITS = "codex.rate_limits"
_PREFIX = "x-codex-"
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?")
_TRUE = ("true", "1")


class _Window(msgspec.Struct):
    used_percent: float
    window_minutes: int | None = None
    reset_at: float | None = None
    reset_after_seconds: float | None = None
    resets_in_seconds: float | None = None


class _Limits(msgspec.Struct):
    primary: _Window | None = None
    secondary: _Window | None = None
    allowed: bool = True
    limit_reached: bool = False


class _Credits(msgspec.Struct):
    has_credits: bool = False
    unlimited: bool = False
    balance: str | int | float | None = None


class _Frame(msgspec.Struct):
    rate_limits: _Limits | None = None
    plan_type: str | None = None
    credits: _Credits | None = None


_frames = msgspec.json.Decoder(_Frame)


def decode_quota_event(raw: bytes, now: float) -> Quota | None:
    """Decode a `codex.rate_limits` frame; `now` is in seconds since 1970 UTC."""
    try:
        frame = _frames.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
    limits = frame.rate_limits
    if limits is None:
        return None
    return Quota(
        plan=frame.plan_type or "",
        primary=_window(limits.primary, now),
        secondary=_window(limits.secondary, now),
        limit_reached=limits.limit_reached or not limits.allowed,
        credits_left=_left(frame.credits),
        seen_at=now,
    )


def decode_quota_headers(headers: Mapping[str, str], now: float) -> Quota | None:
    """Decode the `x-codex-*` headers of an answer, names in lower case; None without any window.

    They come with an HTTP answer, with the 101 of a handshake and inside an error.
    """
    primary, secondary = (_headed(headers, name, now) for name in ("primary", "secondary"))
    reached = headers.get(f"{_PREFIX}rate-limit-reached-type", "")
    if primary is None and secondary is None and not reached:
        return None
    unlimited = headers.get(f"{_PREFIX}credits-unlimited", "").lower() in _TRUE
    return Quota(
        plan=headers.get(f"{_PREFIX}plan-type", ""),
        primary=primary,
        secondary=secondary,
        limit_reached=bool(reached),
        credits_left="unlimited" if unlimited else headers.get(f"{_PREFIX}credits-balance", ""),
        seen_at=now,
    )


def _window(window: _Window | None, now: float) -> Window | None:
    if window is None:
        return None
    resets_at, span = window.reset_at, window.reset_after_seconds or window.resets_in_seconds
    if resets_at is None and span is not None:
        resets_at = now + span
    return Window(window.used_percent, window.window_minutes, resets_at)


def _headed(headers: Mapping[str, str], name: str, now: float) -> Window | None:
    def number(field: str) -> float | None:
        text = headers.get(f"{_PREFIX}{name}-{field}", "").strip()
        return float(text) if _NUMBER.fullmatch(text) else None

    used, minutes, resets_at = (
        number(each) for each in ("used-percent", "window-minutes", "reset-at")
    )
    if used is None:
        return None
    span = number("reset-after-seconds")
    if resets_at is None and span is not None:
        resets_at = now + span
    return Window(used, None if minutes is None else int(minutes), resets_at)


def _left(known: _Credits | None) -> str:
    if known is None or not known.has_credits:
        return ""
    if known.unlimited:
        return "unlimited"
    return "" if known.balance is None else str(known.balance)
