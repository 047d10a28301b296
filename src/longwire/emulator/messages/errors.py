"""What Messages says of a refused request: its envelope, its kinds of error, its statuses.

Law: every refusal, a fault's too, leaves in this envelope and with a `request-id`.
"""

from collections.abc import Mapping
from typing import Any

from longwire.emulator.errors import Rejected
from longwire.emulator.options import Json

STATUS: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
KINDS = {status: kind for kind, status in STATUS.items()}


def refused(
    message: str,
    kind: str = "invalid_request_error",
    *,
    details: Mapping[str, Json] | None = None,
    violation: bool = True,
) -> Rejected:
    """A refusal of this kind, with the status that goes with it."""
    error = Rejected(message, status=STATUS[kind], violation=violation)
    error.error = {"type": kind, "message": message}
    if details is not None:
        error.error["details"] = dict(details)
    return error


def required(where: str) -> Rejected:
    """A member that has to be there."""
    return refused(f"{where}: Field required")


def extra(where: str) -> Rejected:
    """A member that there is not."""
    return refused(f"{where}: Extra inputs are not permitted")


def kind_of(code: Json, status: int) -> str:
    """The kind of an error that a fault or a script names: by its code, else by its status."""
    return code if code in STATUS else KINDS.get(status, "api_error")


def envelope(refusal: Rejected) -> dict[str, Any]:
    """The body of a refusal; an error that stems from a fault gets a kind of this API."""
    error = refusal.error
    if "code" in error:
        kind = kind_of(error["code"], refusal.status)
        error = {"type": kind, "message": error.get("message")}
    named = {"request_id": refusal.request_id} if refusal.request_id else {}
    return {"type": "error", "error": error, **named}
