"""What a request is refused with, in the shapes the two kinds of backend use.

Law: a refusal knows its HTTP status; on a WebSocket the error is nested and carries that status.
"""

from typing import Any

from longwire.emulator.options import Route


class Rejected(Exception):
    """A request that is refused: `status` and the members of its error object.

    `violation` tells whether a correct client would never have sent the request.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int = 400,
        violation: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.violation = violation
        self.error: dict[str, Any] = {
            "type": "invalid_request_error",
            "code": code,
            "message": message,
            "param": param,
        }
        self.headers: dict[str, str] = {}
        self.request_id = ""
        """What the server calls the request, once it is refused."""
        self.is_flat = False

    @property
    def label(self) -> str:
        """The code, or for an error without one its type."""
        return self.error.get("code") or self.error.get("type") or "detail"

    def body(self) -> dict[str, Any]:
        """The HTTP error envelope; OAuth's form, or FastAPI's where there is only a detail."""
        if self.is_flat:
            return {"error": self.error["code"]}
        return self.error if set(self.error) == {"detail"} else {"error": self.error}

    def frame(self, lane: str | None) -> dict[str, Any]:
        """The WebSocket form; it names the lane when the request did."""
        named = {} if lane is None else {"stream_id": lane}
        return {"type": "error", "status": self.status, **named, "error": self.error}


def detail(message: str, status: int = 400) -> Rejected:
    """The Codex backend's way of refusing: a lone detail."""
    error = Rejected(message, status=status)
    error.error = {"detail": message}
    return error


def unknown_parameter(name: str, route: Route) -> Rejected:
    """A top-level parameter that this route does not take."""
    if route == "codex":
        return detail(f"Unsupported parameter: {name}")
    return Rejected(f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


def previous_response_not_found(response_id: str, *, issued: bool) -> Rejected:
    """An id that is not held here; only one that was never issued is the client's fault."""
    return Rejected(
        f"Previous response with id '{response_id}' not found.",
        code="previous_response_not_found",
        param="previous_response_id",
        violation=not issued,
    )
