"""`POST /v1/responses`: one turn over HTTP, streamed as events or answered whole.

Law: no status before the upstream's first event, unless `commit_after` asks for it; nothing after
the terminal. A client that leaves before the terminal cancels its turn; later it cancels nothing.
This is the hot path: one write per batch of events, and no queue, lock or task per event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from longwire.core import sse
from longwire.core.errors import UpstreamDisconnected, UpstreamRejected
from longwire.core.rules.aggregate import Aggregate
from longwire.dialects.codex.client import client_of
from longwire.dialects.responses.answer import EventEncoder, response_of
from longwire.dialects.responses.request import decode_compaction, decode_request
from longwire.relay.turns.running import Relay, RunningTurn
from longwire.server.auth import Keys
from longwire.server.cors import Cors
from longwire.server.data.early_head import EarlyHead
from longwire.server.health import Readiness
from longwire.server.http.arrival import ArrivalLimits
from longwire.server.http.bodies import codings_of, unpacked
from longwire.server.http.exchange import HttpExchange, ReplyState
from longwire.server.problems import problem_of, report, request_id

PATHS: Final = frozenset(
    {
        b"/v1/responses",
        b"/v1/responses/compact",
        b"/backend-api/codex/responses",
        b"/backend-api/codex/responses/compact",
    }
)
"""Where turns are posted."""

NO_TERMINAL = "The upstream ended the response without its terminal."
"""The message to the client of a stream that ends too early."""

_STREAMS: Final = (ReplyState.BEGUN, ReplyState.STREAMING)
_JSON: Final = b"content-type: application/json\r\n"
_STREAM: Final = (
    b"content-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\n"
    b"x-accel-buffering: no\r\n"
)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What holds for every turn over HTTP: spans in seconds.

    A request's body may have `max_body` bytes, packed and unpacked. A stream without an event
    begins after `commit_after`, 0 for never; its silence is filled after each `silence`.
    """

    max_body: int
    arrival: ArrivalLimits
    commit_after: float = 0.0
    silence: float = 15.0


class HttpTurns:
    """The data plane over HTTP."""

    __slots__ = (
        "_cors",
        "_keys",
        "_limits",
        "_readiness",
        "_relay",
        "arrival",
        "max_body",
        "paths",
    )

    def __init__(
        self, relay: Relay, keys: Keys, readiness: Readiness, limits: HttpLimits, cors: Cors
    ) -> None:
        self._cors = cors
        self._limits = limits
        self._relay = relay
        self._readiness = readiness
        self._keys = keys
        self.max_body = limits.max_body
        self.arrival = limits.arrival
        self.paths = PATHS

    async def __call__(self, exchange: HttpExchange) -> None:
        """Serve one turn; failures are answered here. Its client's leaving cancels this."""
        headers = exchange.headers
        cors = self._cors.headers(headers["origin"]) if "origin" in headers else {}
        reply = _Reply(exchange, cors)
        try:
            with self._readiness:
                caller = self._keys.authenticate(headers)
                codings = codings_of(headers, self.max_body)
                body = await exchange.body()
                if codings:
                    body = await unpacked(body, codings, self.max_body)
                is_compaction = exchange.path.endswith(b"/compact")
                turn = decode_compaction(body) if is_compaction else decode_request(body)
                reply.previous = turn.previous_response_id
                if turn.streams and self._limits.commit_after:
                    reply.commit_after(self._limits.commit_after, self._limits.silence)
                async with self._relay.open(turn, caller, headers, reply.id) as answer:
                    await (reply.stream(answer) if turn.streams else reply.whole(answer))
        except Exception as error:  # noqa: BLE001 - the server's edge answers bugs, too
            await reply.fail(error)
        finally:
            if exchange.reply is not ReplyState.ENDED:
                exchange.cut()


class _Reply:
    """What goes back to one client: nothing yet, a stream under way, or all of it."""

    __slots__ = ("_client", "_cors", "_early", "_encoder", "_exchange", "id", "previous")

    def __init__(self, exchange: HttpExchange, cors: Mapping[str, str]) -> None:
        self._exchange = exchange
        self._cors = cors
        self._encoder: EventEncoder | None = None
        self._early: EarlyHead | None = None
        self._client = client_of(exchange.headers)
        self.id = request_id(exchange.headers)
        self.previous: str | None = None

    def commit_after(self, seconds: float, silence: float) -> None:
        """Begin the stream after so many seconds, if no event has come; then fill the silence."""
        self._encoder = encoder = EventEncoder(self.previous, Aggregate())
        filler = self._client.keep_alive(encoder)
        self._early = EarlyHead(self._exchange, self._begin_early, filler, silence)
        self._early.start(seconds)

    def _begin_early(self) -> None:
        self._exchange.begin(200, {**self._cors, "x-request-id": self.id}, _STREAM)

    async def stream(self, answer: RunningTurn) -> None:
        """Send the events as they come."""
        exchange, aggregate = self._exchange, answer.aggregate
        if self._early is not None:
            self._early.stop()
        self._encoder = encoder = EventEncoder(self.previous, aggregate)
        if exchange.reply is ReplyState.NOT_BEGUN:
            exchange.begin(200, self._headers(answer), _STREAM)
        answer.set_fast_path(exchange.fast_path(encoder.encode_plain))
        async for batch in answer:
            if not batch:
                await exchange.write(self._client.keep_alive(encoder))
                continue
            body = encoder.encode_batch(self._client.events(batch))
            if batch[-1] is aggregate.terminal:
                await exchange.end(body)
            else:
                await exchange.write(body)
        if aggregate.terminal is None:
            raise UpstreamDisconnected(NO_TERMINAL)

    async def whole(self, answer: RunningTurn) -> None:
        """Send the response alone, once it is complete."""
        async for _ in answer:
            pass
        terminal = answer.aggregate.terminal
        if terminal is None:
            raise UpstreamDisconnected(NO_TERMINAL)
        body = response_of(EventEncoder(self.previous, answer.aggregate).encode(terminal))
        self._exchange.begin(200, self._headers(answer), _JSON, len(body))
        await self._exchange.end(body)

    async def fail(self, error: Exception) -> None:
        """Answer with the error's status, or end a stream under way with `response.failed`."""
        if self._early is not None:
            self._early.stop()
        if isinstance(error, UpstreamRejected):
            error.headers = self._client.error_headers(error.headers)
        problem = problem_of(error)
        report(problem, error, self.id)
        exchange = self._exchange
        if exchange.reply is ReplyState.NOT_BEGUN:
            body = problem.envelope()
            headers = {**problem.headers, **self._cors, "x-request-id": self.id}
            exchange.begin(problem.status, headers, _JSON, len(body))
            await exchange.end(body)
        elif self._encoder is not None and exchange.reply in _STREAMS:
            failed = self._encoder.failure(problem.code, problem.message)
            await exchange.end(sse.encode("response.failed", failed))

    def _headers(self, answer: RunningTurn) -> Mapping[str, str]:
        """Return what tells how a turn travelled, and what the caller has left."""
        delivery = answer.delivery
        headers = {
            **self._client.headers(answer.headers),
            **answer.limits,
            **self._cors,
            "x-request-id": self.id,
            "x-longwire-channel": answer.channel,
            "x-longwire-transport": delivery.transport,
            "x-longwire-continuity": delivery.continuity,
        }
        if delivery.reason:
            headers["x-longwire-reason"] = delivery.reason
        return headers
