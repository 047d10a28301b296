"""What a failure is to a client of Gemini's API: Google's envelope, its status and its details.

Law: `code` is the status of the reply. Clients wait for what `RetryInfo` says.
"""

import re
from typing import Any, Final

import msgspec

from longwire.dialects.own_fields import GEMINI, own_field
from longwire.dialects.ports import Problem
from longwire.dialects.responses.errors import decode_problem, rejection_of_failed

_TYPE: Final = "type.googleapis.com/google.rpc."
_DOMAIN: Final = "longwire"
_BUSY: Final = 529
_UNAVAILABLE: Final = 503
_SERVER: Final = 500
_STATUSES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Google's names of statuses (`google/rpc/code.proto`); others go by their first digit."""

_PASSED_ON: Final = ("retry-after", "retry-after-ms", "allow", "www-authenticate")


def refusal(problem: Problem) -> Problem:
    """Return a problem as a client of this API gets it."""
    status = _status(problem)
    kept = {name: problem.headers[name] for name in _PASSED_ON if name in problem.headers}
    body = envelope(problem)
    return Problem(status, problem.code, problem.message, problem.param, kept, body)


def envelope(problem: Problem) -> bytes:
    """Return the body of an error, or what stands for it in a stream."""
    status = _status(problem)
    name = _STATUSES.get(status, "INTERNAL" if status >= _SERVER else "INVALID_ARGUMENT")
    error: dict[str, Any] = {"code": status, "message": problem.message, "status": name}
    if details := _details(problem):
        error["details"] = details
    return msgspec.json.encode({"error": error})


def problem_of_failed(raw: bytes) -> Problem:
    """Return the problem that a failed response is."""
    rejection = rejection_of_failed(raw)
    message = str(decode_problem(raw).error["message"])
    headers = rejection.headers
    return Problem(rejection.status, rejection.code, message, None, headers, rejection.body)


def _status(problem: Problem) -> int:
    return _UNAVAILABLE if problem.status == _BUSY else problem.status


def _details(problem: Problem) -> list[dict[str, Any]]:
    """Return Google's own details of an upstream's error, else what is known of it."""
    said = _said(problem.body)
    found = said.get("details")
    if isinstance(found, list) and found:
        return found
    details: list[dict[str, Any]] = []
    if problem.code:
        reason = re.sub("[^A-Z0-9_]", "_", problem.code.upper())
        details.append({"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": _DOMAIN})
    param = problem.param or said.get("param")
    if isinstance(param, str):
        field = param if problem.param else own_field(param, GEMINI)
        violation = {"field": field, "description": problem.message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if delay := _delay(problem):
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": delay})
    return details


def _delay(problem: Problem) -> str:
    seconds = problem.headers.get("retry-after", "")
    return f"{seconds}s" if re.fullmatch(r"[0-9]+(\.[0-9]+)?", seconds) else ""


def _said(body: bytes | None) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(body or b"{}")["error"]
    except (msgspec.MsgspecError, KeyError, TypeError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
