"""Refusals of Chat Completions, each vendor's in its own envelope."""

from longwire.emulator.chat.vendors import Vendor
from longwire.emulator.errors import Rejected
from longwire.emulator.gemini.errors import envelope as google_envelope
from longwire.emulator.options import Json

UNPROCESSABLE = 422


def envelope(vendor: Vendor, error: Rejected) -> Json:
    """A refusal in the vendor's own form."""
    match vendor.envelope:
        case "flat":
            return {"object": "error", **error.error, "message": flat_message(error)}
        case "bad_request":
            kind = "BadRequestError" if error.violation else error.error.get("type")
            return {"object": "error", **error.error, "type": kind, "code": error.status}
        case "list":
            return [google_envelope(error)]
        case _:
            return error.body()


def flat_message(error: Rejected) -> Json:
    """What is wrong: a text, or for a member that there is not what a web framework says."""
    if error.status != UNPROCESSABLE:
        return error.error.get("message", str(error))
    place = ["body", error.error.get("param")]
    reason = {"type": "extra_forbidden", "loc": place, "msg": "Extra inputs are not permitted"}
    return {"detail": [reason]}
