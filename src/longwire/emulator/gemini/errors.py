"""Refusals in Google's form: `{"error": {code, message, status, details}}`."""

from collections.abc import Mapping, Sequence

from longwire.emulator.errors import Rejected
from longwire.emulator.options import Json

TYPES = "type.googleapis.com/google.rpc."
STATUSES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def envelope(error: Rejected) -> Json:
    """A refusal as Google says it; where it says when to come back, with a `RetryInfo`."""
    found = error.error
    details = [*found.get("details", ())]
    if delay := error.headers.get("retry-after"):
        details.append({"@type": f"{TYPES}RetryInfo", "retryDelay": f"{delay}s"})
    members = {
        "code": error.status,
        "message": found.get("message", str(error)),
        "status": found.get("status") or STATUSES.get(error.status, "UNKNOWN"),
    }
    return {"error": members | ({"details": details} if details else {})}


def invalid(message: str) -> Rejected:
    """An argument that no correct client sends."""
    error = Rejected(message, status=400)
    error.error = {"code": "INVALID_ARGUMENT", "message": message}
    return error


def bad_payload(violations: Sequence[tuple[str, str]]) -> Rejected:
    """A body with fields that there are not, by their places and what is wrong there."""
    error = invalid("\n".join(f"Invalid JSON payload received. {text}" for _, text in violations))
    found = [
        {"field": place, "description": f"Invalid JSON payload received. {text}"}
        for place, text in violations
    ]
    error.error["details"] = [{"@type": f"{TYPES}BadRequest", "fieldViolations": found}]
    return error


def unauthorized(token: str) -> Rejected:
    """What is said of a key that is none, or of no key."""
    if not token:
        message = (
            "Method doesn't allow unregistered callers (callers without established identity)."
            " Please use API Key or other form of API consumer identity to call this API."
        )
        return Rejected(message, status=403, code="PERMISSION_DENIED", violation=False)
    message = "API key not valid. Please pass a valid API key."
    error = Rejected(message, code="API_KEY_INVALID", violation=False)
    reason = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
    error.error["details"] = [{"@type": f"{TYPES}ErrorInfo", **reason}]
    return error
