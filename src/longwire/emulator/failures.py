"""How an answer that the script lets fail is refused by APIs that have no failed answers."""

from collections.abc import Mapping

from longwire.emulator.errors import Rejected
from longwire.emulator.options import Script

STATUSES: Mapping[str, int] = {
    "invalid_prompt": 400,
    "context_length_exceeded": 400,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "server_is_overloaded": 503,
}
SERVER = 500


def failure(script: Script, code: str) -> Rejected:
    """The error of an answer that fails with this code."""
    error = Rejected(f"The scripted failure {code}.", code=code, violation=False)
    error.status = STATUSES.get(code, 500)
    error.error["type"] = "server_error" if error.status >= SERVER else "invalid_request_error"
    if isinstance(script.error, dict):
        error.error |= script.error
    elif script.error:
        error.error["message"] = script.error
    return error
