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
from longwire.core.rules.recovery import Trouble
from longwire.dialects.ports import ErrorRule
from longwire.dialects.raw_json import tolerant
from longwire.dialects.responses.retry_delays import retry_after

_decode_any = tolerant(msgspec.json.Decoder(Any).decode)

CONNECTION_LIMIT = "websocket_connection_limit_reached"
PREVIOUS_NOT_FOUND = "previous_response_not_found"
USAGE_LIMIT = "usage_limit_reached"
MALFORMED = "malformed_answer"
_GUIDE = "OpenAI, WebSocket mode"
_FORGOTTEN = re.compile(r"Previous response with id .* not found|^Invalid `previous_response_id`")
_UNREADABLE = re.compile(
    r"Invalid .{0,2}(signature|data)\W* in \W*(redacted_)?thinking\W* block"
    "|[Tt]hought[ _]signature is not valid|Corrupted thought signature"
)
_OWN_WORDS = r'^(\{"error":.*"message":")?'
"""The begin of a message, or of one in an envelope: behind it a caller's words may be quoted."""

ERROR_RULES = (
    ErrorRule(PREVIOUS_NOT_FOUND, 400, _GUIDE, Trouble.FORGOT, _FORGOTTEN),
    ErrorRule(
        CONNECTION_LIMIT,
        400,
        _GUIDE,
        Trouble.EXPIRED,
        re.compile(r"connection limit reached \(60 minutes\)"),
        ends_connection=True,
    ),
    ErrorRule(
        "invalid_encrypted_content",
        400,
        "OpenAI",
        Trouble.SEALED_ELSEWHERE,
        re.compile(
            r"[Ee]ncrypted[ _]content .*(could not be (verified|decrypted)"
            "|did not match the target)|invalid_encrypted_content"
        ),
    ),
    ErrorRule("", 400, "Anthropic, Google", Trouble.SEALED_ELSEWHERE, _UNREADABLE),
    ErrorRule(
        "", 400, "openai-agents", Trouble.DUPLICATE, re.compile(r"Duplicate item found with id")
    ),
    ErrorRule("", 400, "OpenAI", Trouble.FOREIGN_ID, re.compile(r"Invalid 'input\[\d+\].id'")),
    ErrorRule("invalid_request_error", 400, "OpenAI"),
    ErrorRule(
        "context_length_exceeded",
        400,
        "OpenAI",
        Trouble.REFUSED,
        re.compile(
            "maximum context length|exceeds? (the (available )?)?context (window|size|limit)"
            "|([Pp]rompt|[Ii]nput) is too long|token count .*exceeds the maximum number of tokens"
        ),
    ),
    ErrorRule("invalid_prompt", 400, "OpenAI"),
    ErrorRule("content_policy_violation", 400, "OpenAI", Trouble.REFUSED),
    ErrorRule("moderation_blocked", 400, "OpenAI", Trouble.REFUSED),
    ErrorRule("content_filter", 400, "Azure", Trouble.REFUSED),
    ErrorRule("", 400, "OpenRouter", Trouble.REFUSED, re.compile("your input was flagged")),
    ErrorRule(
        "API_KEY_INVALID",
        400,
        "Google",
        Trouble.BARRED,
        re.compile(
            _OWN_WORDS + r"API key (not valid|expired)[.] Please"
            r'|^\{"error":.*"reason":"API_KEY_INVALID"'
        ),
    ),
    ErrorRule("invalid_api_key", 401, "OpenAI"),
    ErrorRule("invalid_authentication", 401, "OpenAI"),
    ErrorRule("token_expired", 401, "Codex backend"),
    ErrorRule("token_invalidated", 401, "Codex backend"),
    ErrorRule("token_revoked", 401, "Codex backend"),
    ErrorRule("insufficient_quota", 429, "OpenAI"),
    ErrorRule("usage_not_included", 429, "Codex backend"),
    ErrorRule(USAGE_LIMIT, 429, "Codex backend"),
    ErrorRule("rate_limit_exceeded", 429, "OpenAI"),
    ErrorRule("slow_down", 503, "OpenAI"),
    ErrorRule("server_is_overloaded", 503, "Codex backend"),
    ErrorRule("server_error", 500, "OpenAI"),
    ErrorRule("authentication_error", 401, "Anthropic"),
    ErrorRule(
        "billing_error",
        402,
        "Anthropic",
        Trouble.BARRED,
        re.compile(_OWN_WORDS + "Your credit balance is too low"),
    ),
    ErrorRule("permission_error", 403, "Anthropic"),
    ErrorRule("not_found_error", 404, "Anthropic"),
    ErrorRule("request_too_large", 413, "Anthropic"),
    ErrorRule("rate_limit_error", 429, "Anthropic"),
    ErrorRule("api_error", 500, "Anthropic"),
    ErrorRule("timeout_error", 504, "Anthropic"),
    ErrorRule("overloaded_error", 529, "Anthropic"),
    ErrorRule("service_unavailable_error", 503, "Codex backend"),
    ErrorRule(MALFORMED, 502, "Google, finish reasons", Trouble.MALFORMED),
    ErrorRule("INVALID_ARGUMENT", 400, "Google"),
    ErrorRule("FAILED_PRECONDITION", 400, "Google"),
    ErrorRule("UNAUTHENTICATED", 401, "Google"),
    ErrorRule("PERMISSION_DENIED", 403, "Google"),
    ErrorRule("NOT_FOUND", 404, "Google"),
    ErrorRule("RESOURCE_EXHAUSTED", 429, "Google"),
    ErrorRule("INTERNAL", 500, "Google"),
    ErrorRule("UNAVAILABLE", 503, "Google"),
    ErrorRule("DEADLINE_EXCEEDED", 504, "Google"),
)
"""What upstreams' errors mean, by their codes or texts."""

CONTEXT_FULL = frozenset({"context_length_exceeded"})
QUOTA_SPENT = frozenset({"insufficient_quota", "usage_not_included", "billing_error"})
OVERLOADED = frozenset(
    {"slow_down", "server_is_overloaded", "overloaded_error", "service_unavailable_error"}
)
"""Codes for which other APIs have words of their own."""

BY_STATUS = {
    401: ErrorRule("", 401, "RFC 9110", Trouble.UNAUTHORIZED, ends_connection=True),
    402: ErrorRule("", 402, "RFC 9110", Trouble.BARRED),
    403: ErrorRule("", 403, "RFC 9110", Trouble.BARRED, ends_connection=True),
    429: ErrorRule("", 429, "RFC 6585", Trouble.LIMITED),
    **{each: ErrorRule("", each, "RFC 9110", Trouble.FAILING) for each in range(500, 600)},
}
"""What the status of an error means whose code says nothing."""

_BY_CODE = {rule.code: rule for rule in ERROR_RULES if rule.code}
_BY_TEXT = tuple(rule for rule in ERROR_RULES if rule.text is not None)
_REFUSED = ErrorRule("", 400, "RFC 9110", Trouble.REFUSED)
_UNKNOWN = ErrorRule("", 502, "")
_PASSED_ON = frozenset({"retry-after", "retry-after-ms", "x-should-retry"})
_PASSED_ON_PREFIXES = ("x-ratelimit-", "x-codex-")
_UNKNOWN_STATUS = 502
_STATUS = re.compile("[45][0-9]{2}")
_VAGUE = frozenset({"", "INVALID_ARGUMENT"})
"""Codes that say less than words may."""

_NO_MESSAGE = "The upstream reported an error without a message."
_LOWEST_ERROR, _HIGHEST_ERROR = 400, 599


@dataclass(frozen=True, slots=True)
class UpstreamProblem:
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


def decode_problem(raw: bytes) -> UpstreamProblem:
    """Decode an error frame, an SSE error event or an HTTP error body, in whatever shape."""
    try:
        said = _decode_any(raw)
    except (msgspec.MsgspecError, RecursionError):
        text = raw[:500].decode("utf-8", "replace").strip()
        return UpstreamProblem(_UNKNOWN_STATUS, "", _error(text or _NO_MESSAGE))
    return _problem(_envelope(said))


def is_error(raw: bytes, *, in_envelope: bool = False) -> bool:
    """Whether a body is an API's error in some shape, and no page or word of a proxy.

    `in_envelope`: only with an `error`, since frameworks say `detail` or `message`, too.
    """
    try:
        said = _decode_any(raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    if not isinstance(said, dict | list) or (in_envelope and "error" not in _envelope(said)):
        return False
    return bool(_problem(_envelope(said)).error["message"] != _NO_MESSAGE)


def standard_error(raw: bytes) -> bytes:
    """Return an error member with a code that is a text, and a message; as it is where it has."""
    error = _decode_any(raw)
    if isinstance(error, dict):
        said = error.get("message"), error.get("code")
        if all(isinstance(each, str | None) for each in said):
            return raw
    return msgspec.json.encode(_problem({"error": error}).error)


def _envelope(said: object) -> dict[str, Any]:
    """Return the object that stands for an error: of a list its first one, of a text one itself."""
    if isinstance(said, list) and said:
        return _envelope(said[0])
    return said if isinstance(said, dict) else {"error": said}


def _problem(frame: dict[str, Any]) -> UpstreamProblem:
    error = _error_in(frame)
    number, code = _status_and_code(frame, error)
    message = (
        _first_text(error, "message", "msg", "detail")
        or _first_text(frame, "message", "detail", "error")
        or _refused_fields(frame.get("detail") or error.get("detail"))
        or code
        or number
        or _NO_MESSAGE
    )
    if code in _VAGUE:
        code = _rule_of_text(message).code or code or number
    kind = _first_text(error, "type", "error_type") or _first_text(frame, "error_type")
    param = _first_text(error, "param") or _first_text(frame, "param")
    said = {name: value for name, value in error.items() if name != "headers"}
    status = _status(frame, error, code)
    return UpstreamProblem(
        status, code, said | _error(message, kind, param, code), _headers(frame, error)
    )


def _error_in(frame: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object that says what failed, {} where a text or a list does."""
    response = frame.get("response")
    inner = response.get("error") if isinstance(response, dict) else frame.get("error")
    if inner is None:
        inner = frame.get("detail") or frame.get("errors")
    if isinstance(inner, list) and inner and not _is_field(inner[0]):
        inner = inner[0]
    if isinstance(inner, dict) and isinstance(inner.get("error"), dict):
        inner = inner["error"]
    if isinstance(inner, str):
        return {"message": inner}
    return inner if isinstance(inner, dict) else {}


def _is_field(said: object) -> bool:
    """Whether it is what FastAPI says of a field of a body."""
    return isinstance(said, dict) and isinstance(said.get("loc"), list)


def _refused_fields(detail: object) -> str:
    """Say what FastAPI says of the fields of a body: `field required (body.input)`."""
    if not isinstance(detail, list):
        return ""
    fields = [each for each in detail if _is_field(each)]
    return "; ".join(
        f"{_first_text(each, 'msg')} ({'.'.join(map(str, each['loc']))})" for each in fields
    )


def _error(message: str, kind: str = "", param: str = "", code: str = "") -> dict[str, Any]:
    return {
        "message": message,
        "type": kind or "upstream_error",
        "param": param or None,
        "code": code or None,
    }


def _status_and_code(frame: Mapping[str, Any], error: Mapping[str, Any]) -> tuple[str, str]:
    """Return what `code` says: a status, as many have it, or a code, else one that is elsewhere."""
    code = _code(error, "code") or _code(frame, "code")
    if _STATUS.fullmatch(code):
        return code, _known_type(error)
    return "", code or _known_type(error)


def _known_type(error: Mapping[str, Any]) -> str:
    for kind in (_first_text(error, "type"), _first_text(error, "status")):
        if kind in _BY_CODE and kind != "invalid_request_error":
            return kind
    return ""


def _code(source: Mapping[str, Any], name: str) -> str:
    """Return a code as a text; many write numbers."""
    code = source.get(name)
    if isinstance(code, str):
        return code
    return str(code) if isinstance(code, int | float) and not isinstance(code, bool) else ""


def _first_text(source: Mapping[str, Any], *names: str) -> str:
    values = (source.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), "")


def _status(frame: Mapping[str, Any], error: Mapping[str, Any], code: str) -> int:
    said = (frame.get("status"), frame.get("status_code"), error.get("status"), error.get("code"))
    for value in (*said, frame.get("code"), code):
        number = int(value) if isinstance(value, str) and _STATUS.fullmatch(value) else value
        if isinstance(number, int) and _LOWEST_ERROR <= number <= _HIGHEST_ERROR:
            return number
    rule = _BY_CODE.get(code) or _BY_CODE.get(_first_text(error, "type"))
    return rule.status if rule else _UNKNOWN_STATUS


def _headers(frame: Mapping[str, Any], error: Mapping[str, Any]) -> dict[str, str]:
    headers = frame.get("headers") or error.get("headers")
    if not isinstance(headers, dict):
        return retry_after(error.get("details"))
    return {name.lower(): str(value) for name, value in headers.items() if value is not None}


def rule_of(code: str, status: int, body: bytes = b"") -> ErrorRule:
    """Return what an error means, by its code, else by what its body says, else by its status."""
    rule = _BY_CODE.get(code, _UNKNOWN)
    if rule.trouble is None:
        rule = _rule_of_text(body.decode("utf-8", "replace"))
    return BY_STATUS.get(status, _REFUSED) if rule.trouble is None else rule


def trouble_of(rejection: UpstreamRejected) -> Trouble:
    """Return what struck an attempt that was answered with an error."""
    return rule_of(rejection.code, rejection.status, rejection.body).trouble or Trouble.REFUSED


def is_usage_limit(failure: Exception) -> bool:
    """Whether an account has used up what its subscription allows."""
    return isinstance(failure, UpstreamRejected) and failure.code == USAGE_LIMIT


def is_expiry(raw: bytes) -> bool:
    """Whether a frame is the error that announces the end of a connection's life."""
    problem = decode_problem(raw)
    return rule_of(problem.code, problem.status).trouble is Trouble.EXPIRED


def ends_connection(raw: bytes) -> bool:
    """Whether an error frame ends its WebSocket, too: credentials refused, or its time is up."""
    problem = decode_problem(raw)
    return rule_of(problem.code, problem.status).ends_connection


def rule_of_failed(raw: bytes) -> ErrorRule | None:
    """Return what the error of a failed response means that had no output.

    None where it is the request's own: another channel would say the same; and where neither its
    code nor its words are known.
    """
    problem = decode_problem(raw)
    is_known = problem.code in _BY_CODE or _STATUS.fullmatch(problem.code)
    status = problem.status if is_known else _REFUSED.status
    rule = rule_of(problem.code, status, problem.to_rejection().body)
    return None if rule.trouble is Trouble.REFUSED else rule


def rejection_of_failed(raw: bytes) -> UpstreamRejected:
    """Return the error of a response that failed; what nobody knows is the request's own fault."""
    problem = decode_problem(raw)
    rejection = problem.to_rejection()
    if rule_of_failed(raw) is None and problem.code not in _BY_CODE:
        rejection.status = _REFUSED.status
    return rejection


def _rule_of_text(text: str) -> ErrorRule:
    for rule in _BY_TEXT:
        if rule.text is not None and rule.text.search(text):
            return rule
    return _UNKNOWN


def usage_limit(until: float, plan: str, now: float) -> UpstreamRejected:
    """Return the refusal of an account whose limit is reached, as its provider says it itself.

    The Codex CLI reads `plan_type` and `resets_at` for the message that it prints.
    """
    seconds = max(math.ceil(until - now), 1)
    error = _error("The usage limit has been reached", USAGE_LIMIT, "", USAGE_LIMIT)
    error |= {"plan_type": plan or None, "resets_at": int(until), "resets_in_seconds": seconds}
    problem = UpstreamProblem(429, USAGE_LIMIT, error, {"retry-after": str(seconds)})
    return problem.to_rejection()
