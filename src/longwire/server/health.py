"""Whether the process lives, whether it can serve, and what it counts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from longwire.core.errors import Overloaded
from longwire.relay.records.metrics import CONTENT_TYPE, Metrics

_RETRY_AFTER = 5


class Stage(Enum):
    """The stages of a process, in their order."""

    STARTING = "starting"
    READY = "ready"
    LEAVING = "leaving"
    """A lame duck: turns are served, while those who look at `/ready` send theirs elsewhere."""
    DRAINING = "draining"


class Readiness:
    """The stage this process is in, its turns under way and the guests that outlive a turn.

    A turn has it as its context. `READY` and `LEAVING` take new ones.
    """

    def __init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None  # called when the stage is another one
        self._stage = Stage.STARTING
        self._turns = 0
        self._guests: set[Callable[[], None]] = set()
        self._emptied: Callable[[], None] | None = None

    def __enter__(self) -> None:
        """Count a turn until the context ends. Raises `Overloaded` once draining."""
        if self._stage is Stage.DRAINING:
            self.admit()
        self._turns += 1

    def __exit__(self, *_: object) -> None:
        """Count it no more."""
        self._turns -= 1
        if self._emptied is not None:
            self._tell_when_empty()

    @contextmanager
    def guest(self, leave: Callable[[], None]) -> Iterator[None]:
        """Count a connection; once draining, `leave` asks it to go as soon as it has no turn."""
        self.admit()
        self._guests.add(leave)
        try:
            yield
        finally:
            self._guests.discard(leave)
            self._tell_when_empty()

    @property
    def stage(self) -> Stage:
        """The stage it is in."""
        return self._stage

    @stage.setter
    def stage(self, stage: Stage) -> None:
        self._stage = stage
        self.changed()

    @property
    def turns(self) -> int:
        """How many turns are under way."""
        return self._turns

    @property
    def guests(self) -> int:
        """How many connections are there that outlive a turn."""
        return len(self._guests)

    def admit(self) -> None:
        """Raise `Overloaded` once draining."""
        if self.stage is Stage.DRAINING:
            msg = "This gateway is shutting down; send the request again to the next one."
            raise Overloaded(msg, _RETRY_AFTER)

    def leave(self) -> None:
        """Be ready no more, and serve on."""
        if self.stage is Stage.READY:
            self.stage = Stage.LEAVING

    def drain(self, emptied: Callable[[], None]) -> None:
        """Take no new turns; call `emptied` when the last one has ended and all guests left."""
        self.stage = Stage.DRAINING
        self._emptied = emptied
        for leave in tuple(self._guests):
            leave()
        self._tell_when_empty()

    def _tell_when_empty(self) -> None:
        if self._emptied is not None and not self._turns and not self._guests:
            self._emptied()


class Probes:
    """What those who watch the gateway ask: no key, no model, no secret."""

    def __init__(self, readiness: Readiness, metrics: Metrics, node: str) -> None:
        self._readiness = readiness
        self._metrics = metrics
        self._node = node

    async def health(self, _request: Request) -> Response:
        """Answer 200 while the process lives."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """Answer 200 when it can serve, 503 while it starts, leaves or drains."""
        stage = self._readiness.stage
        return JSONResponse({"status": stage.value}, 200 if stage is Stage.READY else 503)

    async def metrics(self, request: Request) -> Response:
        """Answer with all metrics in Prometheus' text format; 404 where another `node`'s are meant.

        Figures of one in another's place would look like a restart.
        """
        if (node := request.query_params.get("node", self._node)) != self._node:
            return PlainTextResponse(f"This is node {self._node}, and not {node}.\n", 404)
        return Response(self._metrics.render(), media_type=CONTENT_TYPE)
