"""Whether the process lives, and whether it can serve."""

from enum import Enum

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Stage(Enum):
    """The stages of a process, in their order."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Readiness:
    """The stage this process is in; only `READY` is ready."""

    __slots__ = ("stage",)

    def __init__(self) -> None:
        self.stage = Stage.STARTING

    async def health(self, _request: Request) -> Response:
        """Answer 200 while the process lives."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """Answer 200 when it can serve, 503 while it starts or drains."""
        status = 200 if self.stage is Stage.READY else 503
        return JSONResponse({"status": self.stage.value}, status)
