"""One turn over HTTP in whatever dialect, streamed as events or answered whole.

Law: no status before the upstream's first event, unless `commit_after` asks for that; nothing after
the terminal. A client that leaves before it cancels its turn, one that leaves after it nothing.
This is the hot path: one write per batch of events, and no queue, lock or task per event.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from longwire.core.errors import (
    CallerError,
    LongwireError,
    Unsayable,
    UpstreamDisconnected,
    UpstreamRejected,
)
from longwire.core.nouns.access import Grant
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.routing import Manner
from longwire.core.rules.turn import Turn
from longwire.dialects.clients import ROUTES, Route, route_to
from longwire.dialects.codex.client import client_of
from longwire.dialects.generate_content.targets import is_target, target_of
from longwire.dialects.own_fields import in_own_words
from longwire.dialects.passed import PassedOn, refusal_of
from longwire.dialects.ports import Answer, Headers
from longwire.dialects.responses.unfinished import Unfinished
from longwire.relay.channels.channel import Snapshot
from longwire.relay.turns.running import Relay, RunningTurn
from longwire.server.auth import Keys
from longwire.server.cors import Cors
from longwire.server.data.early_head import EarlyHead
from longwire.server.health import Readiness
from longwire.server.http.arrival import ArrivalLimits
from longwire.server.http.bodies import codings_of, unpacked
from longwire.server.http.exchange import HttpExchange, ReplyState
from longwire.server.problems import problem_of, report, request_id

_ESTIMATED: Final = {"x-longwire-tokens": "estimated"}
NO_TERMINAL = "The upstream ended the response without its terminal."
"""The message to the client of a stream that ends too early."""

PATIENCE = 5.0
"""How long the upstream may take, in seconds, for what can be estimated here."""

_UNCOUNTED: Final = (LongwireError, TimeoutError)
_FAULTS_OF_REQUESTS: Final = frozenset({400, 413, 422})
_STREAMS: Final = (ReplyState.BEGUN, ReplyState.STREAMING)
_JSON: Final = b"content-type: application/json\r\n"
_STREAM: Final = b"content-type: %b\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n"


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
        self.paths = ROUTES

    def serves(self, path: bytes) -> bool:
        """Whether turns are posted to a path that is none of `paths`, for it names a model."""
        return is_target(path)

    async def __call__(self, exchange: HttpExchange) -> None:
        """Serve one turn; failures are answered here. Its client's leaving cancels this."""
        headers = exchange.headers
        cors = self._cors.headers(headers["origin"]) if "origin" in headers else {}
        reply = _Reply(exchange, cors)
        try:
            with self._readiness:
                caller = self._keys.authenticate(headers, reply.route.key)
                packed = headers.get("content-encoding")
                codings = codings_of(packed) if packed else []
                body = await exchange.body()
                if codings:
                    body = await unpacked(body, codings, self.max_body)
                turn = reply.turn = _read(
                    reply.route, body, headers, caller.grant, self._relay.routing.snapshot
                )
                if turn.streams and self._limits.commit_after:
                    reply.commit_after(turn, self._limits.commit_after, self._limits.silence)
                running = self._relay.open(turn, caller, headers, reply.id)
                if reply.route.estimate is not None:
                    await reply.counted(running)
                    return
                async with running:
                    await (reply.stream(running) if turn.streams else reply.whole(running))
        except Exception as error:  # noqa: BLE001 - the server's edge answers bugs, too
            await reply.fail(error)
        finally:
            if exchange.reply is not ReplyState.ENDED:
                exchange.cut()


def _read(route: Route, body: bytes, headers: Headers, grant: Grant, snapshot: Snapshot) -> Turn:
    """Decode a request, as far as anybody needs to understand it. Raises `InvalidRequest`."""
    if route.skim is None:
        return route.decode(body, headers, grant)
    passes_on = partial(snapshot.only_passes_on, route.api, grant)
    return route.skim(body, headers, grant, passes_on)


class _Reply:
    """What goes back to one client: nothing yet, a stream under way, or all of it."""

    def __init__(self, exchange: HttpExchange, cors: Mapping[str, str]) -> None:
        self._exchange = exchange
        self._cors = cors
        self._answer: Answer | None = None
        self._early: EarlyHead | None = None
        self.turn: Turn | None = None
        path = exchange.path
        self.route = ROUTES.get(path) or route_to(target_of(path, exchange.query))
        self._stream = _STREAM % self.route.streams_as
        self._dialect = self.route.dialect
        self.id = request_id(exchange.headers)

    def commit_after(self, turn: Turn, seconds: float, silence: float) -> None:
        """Begin the stream after so many seconds, if no event has come; then fill the silence."""
        self._answer = early = self._dialect.answer(turn, Aggregate(), self._exchange.headers)
        self._early = EarlyHead(self._exchange, self._begin_early, early.keep_alive(), silence)
        self._early.start(seconds)

    def _begin_early(self) -> None:
        headers = {**self._cors, **self._dialect.headers(self.id, {})}
        self._exchange.begin(200, headers, self._stream)

    async def stream(self, running: RunningTurn) -> None:
        """Send the events as they come."""
        exchange, aggregate = self._exchange, running.aggregate
        if self._early is not None:
            self._early.stop()
        answer = self._begin(running)
        running.set_fast_path(exchange.fast_path(answer.encode_plain))
        async for batch in running:
            body = answer.encode_batch(batch) if batch else answer.keep_alive()
            if exchange.reply is ReplyState.NOT_BEGUN:
                exchange.begin(200, self._headers(running), self._stream)
            if answer.is_cut or (batch and batch[-1] is aggregate.terminal):
                await exchange.end(body)
                return
            if body:
                await exchange.write(body)
        raise UpstreamDisconnected(NO_TERMINAL)

    async def whole(self, running: RunningTurn) -> None:
        """Send the response alone, once it is complete."""
        unfinished = Unfinished()
        async for batch in running:
            unfinished.add(batch)
        terminal = running.aggregate.terminal
        if terminal is None:
            raise UpstreamDisconnected(NO_TERMINAL)
        unfinished.complete(running.aggregate)
        body = self._begin(running).whole(terminal)
        await self._send(200, self._headers(running), body)

    async def counted(self, running: RunningTurn) -> None:
        """Send what the upstream counts. Raises `TimeoutError`, too, for its client waits."""
        async with asyncio.timeout(PATIENCE), running:
            await self.whole(running)

    async def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self._exchange.begin(status, headers, _JSON, len(body))
        await self._exchange.end(body)

    def _begin(self, running: RunningTurn) -> Answer:
        turn, headers = running.request.turn, self._exchange.headers
        answer = self._dialect.answer(turn, running.aggregate, headers)
        if running.record.way.manner is Manner.NATIVE:
            keeps = running.request.caller.grant.keeps_bodies
            answer = PassedOn(answer, running.record.passed_on if keeps else None)
        self._answer = answer
        return answer

    async def fail(self, error: Exception) -> None:
        """Answer with the error's status, or end a stream under way.

        Where no upstream could say what the route can estimate, that is the answer.
        """
        if self._early is not None:
            self._early.stop()
        estimate, turn = self.route.estimate, self.turn
        if estimate is not None and turn is not None and _is_uncounted(error):
            headers = {**self._cors, **self._dialect.headers(self.id, {}), **_ESTIMATED}
            await self._send(200, headers, estimate(turn))
            return
        if isinstance(error, UpstreamRejected):
            error.headers = client_of(self._exchange.headers).error_headers(error.headers)
        problem = problem_of(error)
        if turn is not None:  # the request itself was read, so the field is one of what it became
            problem = in_own_words(problem, self._dialect.fields)
        report(problem, error, self.id)
        exchange = self._exchange
        if exchange.reply is ReplyState.NOT_BEGUN:
            problem = refusal_of(problem, self._dialect, self.id)
            body = problem.envelope()
            headers = {**problem.headers, **self._cors, **self._dialect.headers(self.id, {})}
            await self._send(problem.status, headers, body)
        elif self._answer is not None and exchange.reply in _STREAMS:
            await exchange.end(self._answer.failure(problem))

    def _headers(self, running: RunningTurn) -> Mapping[str, str]:
        """Return what tells how a turn travelled, and what the caller has left."""
        delivery, dropped, api = running.delivery, running.record.dropped, running.record.way.api
        headers = {
            **self._cors,
            **self._dialect.headers(self.id, running.limits),
            "x-longwire-channel": running.channel,
            "x-longwire-transport": delivery.transport,
            "x-longwire-continuity": delivery.continuity,
        }
        if api:
            headers["x-longwire-api"] = api
        if running.headers:
            headers |= client_of(self._exchange.headers).headers(running.headers)
        if delivery.reason:
            headers["x-longwire-reason"] = delivery.reason
        if delivery.changed:
            headers["x-longwire-changed"] = delivery.changed
        if dropped:
            headers["x-longwire-dropped"] = ", ".join(dropped)
        return headers


def _is_uncounted(error: Exception) -> bool:
    """Whether a count failed for no fault of its request: then an estimate is of more use."""
    if isinstance(error, UpstreamRejected):
        return error.status not in _FAULTS_OF_REQUESTS
    if isinstance(error, Unsayable):
        return True  # none of the model's channels knows how to count
    return isinstance(error, _UNCOUNTED) and not isinstance(error, CallerError)
