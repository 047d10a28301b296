"""What a failure is to a client of the Messages API: status, type, words and headers.

Clients act on these: Claude Code compacts on `prompt is too long`, and tries again for minutes
what is not said to be final.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from longwire.core.rules.recovery import Trouble
from longwire.dialects.ports import Problem
from longwire.dialects.responses.errors import (
    CONTEXT_FULL,
    OVERLOADED,
    QUOTA_SPENT,
    decode_problem,
    rejection_of_failed,
    rule_of,
)

_FINAL: Final = {"x-should-retry": "false"}
_BUSY: Final = 529


class _Rule(NamedTuple):
    """What an error becomes: its status and type, and what its client must know of it."""

    status: int
    type: str
    headers: Mapping[str, str] = {}
    error_code: str = ""


_INVALID: Final = _Rule(400, "invalid_request_error")
_QUOTA: Final = _Rule(429, "billing_error", _FINAL)
_OVERLOADED: Final = _Rule(_BUSY, "overloaded_error")
THREAD_GONE: Final = "thread_not_found"
"""Has a client replay its thread, at once and by itself."""
_GONE: Final = _Rule(404, "not_found_error", error_code=THREAD_GONE)
BY_CODE: Final[Mapping[str, _Rule]] = {
    **dict.fromkeys(QUOTA_SPENT, _QUOTA),
    **dict.fromkeys(OVERLOADED, _OVERLOADED),
    "overloaded": _OVERLOADED,
    "response_not_found": _GONE,
    THREAD_GONE: _GONE,
}
"""What codes of upstreams and of the gateway mean here; for all others the status decides."""

BY_STATUS: Final[Mapping[int, _Rule]] = {
    400: _INVALID,
    401: _Rule(401, "authentication_error", _FINAL),
    402: _Rule(402, "billing_error", _FINAL),
    403: _Rule(403, "permission_error"),
    404: _Rule(404, "not_found_error"),
    408: _Rule(408, "timeout_error"),
    413: _Rule(413, "request_too_large"),
    429: _Rule(429, "rate_limit_error"),
    500: _Rule(500, "api_error"),
    501: _Rule(501, "not_supported", _FINAL),
    504: _Rule(504, "timeout_error"),
    _BUSY: _OVERLOADED,
}
"""What a status means whose code says nothing."""

_SERVER: Final = 500
_PASSED_ON: Final = ("retry-after", "retry-after-ms", "x-should-retry", "allow", "www-authenticate")
_LIMIT: Final = re.compile(r"x-ratelimit-(limit|remaining)-(requests|tokens)")
_MOST: Final = re.compile(r"(?:maximum|max|limit)[^0-9]{0,60}?([0-9][0-9,]*)(?= ?tokens|\))")
_WANTED: Final = re.compile(
    r"(?:resulted in|requested|contains?|input (?:is|of|has)|got|token count)"
    r"[^0-9]{0,40}?([0-9][0-9,]*)"
)
_CLIENTS_OWN: Final = re.compile("prompt is too long|input length and `max_tokens` exceed")


def refusal(problem: Problem, request_id: str) -> Problem:
    """Return a problem as a client of this API gets it."""
    rule = _rule_of(problem)
    is_upstreams = problem.body is not None
    own = {name: problem.headers[name] for name in _PASSED_ON if name in problem.headers}
    limits = {} if is_upstreams else limit_headers(problem.headers)
    return Problem(
        rule.status,
        problem.code,
        _words(problem),
        problem.param,
        {**rule.headers, **own, **limits},
        envelope(problem, request_id),
    )


def limit_headers(limits: Mapping[str, str]) -> dict[str, str]:
    """Return what is left of the gateway's own limits, as this API names it."""
    return {
        f"anthropic-ratelimit-{found[2]}-{found[1]}": value
        for name, value in limits.items()
        if (found := _LIMIT.fullmatch(name))
    }


def envelope(problem: Problem, request_id: str = "") -> bytes:
    """Return the body of an error, or the data of an `error` event."""
    rule = _rule_of(problem)
    error: dict[str, object] = {"type": rule.type, "message": _words(problem)}
    if rule.error_code:
        error["details"] = {"error_code": rule.error_code}
    body: dict[str, object] = {"type": "error", "error": error}
    if request_id:
        body["request_id"] = request_id
    return msgspec.json.encode(body)


def problem_of_failed(raw: bytes) -> Problem:
    """Return the problem that a failed response is."""
    message = str(decode_problem(raw).error["message"])
    rejection = rejection_of_failed(raw)
    return Problem(rejection.status, rejection.code, message)


def _rule_of(problem: Problem) -> _Rule:
    if _is_full(problem):
        return _INVALID
    if rule_of(problem.code, problem.status).trouble is Trouble.FORGOT:
        return _GONE
    known = BY_CODE.get(problem.code) or BY_STATUS.get(problem.status)
    if known is not None:
        return known
    return _Rule(problem.status, "api_error" if problem.status >= _SERVER else _INVALID.type)


def _is_full(problem: Problem) -> bool:
    """Whether the context is full, by the code or, where that says nothing, by the words."""
    rule = rule_of(problem.code, problem.status, problem.message.encode())
    return rule.code in CONTEXT_FULL


def _words(problem: Problem) -> str:
    if not _is_full(problem):
        return problem.message
    if known := _CLIENTS_OWN.search(problem.message):
        return problem.message[known.start() :]
    wanted, most = _WANTED.search(problem.message), _MOST.search(problem.message)
    if wanted is None or most is None:
        return f"prompt is too long: {problem.message}"
    tokens, maximum = (found[1].replace(",", "") for found in (wanted, most))
    return f"prompt is too long: {tokens} tokens > {maximum} maximum"
