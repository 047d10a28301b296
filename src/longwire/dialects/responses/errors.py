"""Every shape in which a Responses upstream says "error", brought to one.

Codes decide, texts only where an upstream gives no code. What an upstream said stays as it was
said; only the envelope around it is made the standard one.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from longwire.core.errors import UpstreamRejected

_objects = msgspec.json.Decoder(dict[str, Any])

CONNECTION_LIMIT = "websocket_connection_limit_reached"
PREVIOUS_NOT_FOUND = "previous_response_not_found"
USAGE_LIMIT = "usage_limit_reached"
_STATUS_OF_CODE = {
    PREVIOUS_NOT_FOUND: 400,
    CONNECTION_LIMIT: 400,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "invalid_api_key": 401,
    "invalid_authentication": 401,
    "token_expired": 401,
    "token_invalidated": 401,
    "token_revoked": 401,
    "insufficient_quota": 429,
    "usage_not_included": 429,
    "usage_limit_reached": 429,
    "rate_limit_exceeded": 429,
    "slow_down": 503,
    "server_is_overloaded": 503,
    "server_error": 500,
}
_PASSED_ON = frozenset({"retry-after", "retry-after-ms", "x-should-retry"})
_PASSED_ON_PREFIXES = ("x-ratelimit-", "x-codex-")
# Some upstreams say these without a code.
_TEXTS = (
    (
        re.compile(r"Previous response with id .* not found|^Invalid `previous_response_id`"),
        PREVIOUS_NOT_FOUND,
    ),
    (re.compile(r"connection limit reached \(60 minutes\)"), CONNECTION_LIMIT),
)
_UNKNOWN_STATUS = 502
_NO_MESSAGE = "The upstream reported an error without a message."
_LOWEST_ERROR, _HIGHEST_ERROR = 400, 599


@dataclass(frozen=True, slots=True)
class Problem:
    """One upstream error: HTTP-like `status`, `code` ("" where none), the `error` to pass on."""

    status: int
    code: str
    error: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_rejection(self) -> UpstreamRejected:
        """Return the error to raise, its body in the standard envelope."""
        body = msgspec.json.encode({"error": self.error})
        return UpstreamRejected(self.status, body, _to_pass_on(self.headers), self.code)


def _to_pass_on(headers: Mapping[str, str]) -> dict[str, str]:
    """Keep what tells a client when to try again and what it has left, as printable ASCII."""
    return {
        name: value
        for name, value in headers.items()
        if (name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES))
        and (name + value).isascii()
        and (name + value).isprintable()
    }


def decode_problem(raw: bytes) -> Problem:
    """Decode an error frame, an SSE error event or an HTTP error body, in whatever shape."""
    try:
        frame = _objects.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        text = raw[:500].decode("utf-8", "replace").strip()
        return Problem(_UNKNOWN_STATUS, "", _error(text or _NO_MESSAGE))
    return _problem(frame)


def _problem(frame: dict[str, Any]) -> Problem:
    response = frame.get("response")
    inner = response.get("error") if isinstance(response, dict) else frame.get("error")
    error: dict[str, Any] = inner if isinstance(inner, dict) else {}
    message = (
        _first_text(error, "message", "detail")
        or _first_text(frame, "message", "detail", "error")
        or _NO_MESSAGE
    )
    code = _first_text(error, "code") or _first_text(frame, "code") or _known_type(error)
    code = code or next((meant for text, meant in _TEXTS if text.search(message)), "")
    kind = _first_text(error, "type", "error_type") or _first_text(frame, "error_type")
    param = _first_text(error, "param") or _first_text(frame, "param")
    said = {name: value for name, value in error.items() if name != "headers"}
    status = _status(frame, error, code)
    return Problem(status, code, said | _error(message, kind, param, code), _headers(frame, error))


def _error(message: str, kind: str = "", param: str = "", code: str = "") -> dict[str, Any]:
    return {
        "message": message,
        "type": kind or "upstream_error",
        "param": param or None,
        "code": code or None,
    }


def _known_type(error: Mapping[str, Any]) -> str:
    kind = _first_text(error, "type")
    return kind if kind in _STATUS_OF_CODE and kind != "invalid_request_error" else ""


def _first_text(source: Mapping[str, Any], *names: str) -> str:
    values = (source.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), "")


def _status(frame: Mapping[str, Any], error: Mapping[str, Any], code: str) -> int:
    for value in (frame.get("status"), frame.get("status_code"), error.get("status")):
        if isinstance(value, int) and _LOWEST_ERROR <= value <= _HIGHEST_ERROR:
            return value
    return _STATUS_OF_CODE.get(code) or _STATUS_OF_CODE.get(
        _first_text(error, "type"), _UNKNOWN_STATUS
    )


def _headers(frame: Mapping[str, Any], error: Mapping[str, Any]) -> dict[str, str]:
    headers = frame.get("headers") or error.get("headers")
    if not isinstance(headers, dict):
        return {}
    return {name.lower(): str(value) for name, value in headers.items() if value is not None}


def is_duplicate_item(body: bytes) -> bool:
    """Whether the upstream says that it holds an item already; it gives no code for that."""
    return b"Duplicate item found with id" in body


def is_fatal(raw: bytes) -> bool:
    """Whether an error frame ends its connection too: credentials refused, or its time is up."""
    problem = decode_problem(raw)
    return problem.status in (401, 403) or problem.code == CONNECTION_LIMIT


class _Limit(msgspec.Struct):
    resets_at: float | None = None
    resets_in_seconds: float | None = None
    plan_type: str | None = None


class _Limited(msgspec.Struct):
    error: _Limit


def decode_limit(refusal: UpstreamRejected, now: float) -> tuple[float | None, str]:
    """Return until when an account's usage limit refuses turns, None if not told, and its plan.

    Times are in seconds since 1970 UTC.
    """
    try:
        told = msgspec.json.decode(refusal.body, type=_Limited, strict=False).error
    except (msgspec.MsgspecError, RecursionError):
        told = _Limit()
    if told.resets_at is not None:
        return told.resets_at, told.plan_type or ""
    seconds = told.resets_in_seconds
    if seconds is None:
        try:
            seconds = float(refusal.headers.get("retry-after", ""))
        except ValueError:
            return None, told.plan_type or ""
    return now + seconds, told.plan_type or ""


def usage_limit(until: float, plan: str, now: float) -> UpstreamRejected:
    """Return the refusal of an account whose limit is reached, as its provider says it itself.

    The Codex CLI reads `plan_type` and `resets_at` for the message that it prints.
    """
    seconds = max(math.ceil(until - now), 1)
    error = _error("The usage limit has been reached", USAGE_LIMIT, "", USAGE_LIMIT)
    error |= {"plan_type": plan or None, "resets_at": int(until), "resets_in_seconds": seconds}
    problem = Problem(429, USAGE_LIMIT, error, {"retry-after": str(seconds)})
    return problem.to_rejection()
