"""The journey of one turn: who may serve it, where it is sent, what comes back.

Law: a caller sees an answer begin only after the upstream's first event; until then every failure
is an exception with its own status.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from longwire.core.aggregate import Aggregate
from longwire.core.errors import InvalidRequest, UnknownModel, UpstreamDisconnected
from longwire.core.events import Event
from longwire.core.routing import Route, choose
from longwire.core.session import fingerprint, forwarded, session_id
from longwire.core.turn import Principal, SessionKey, Turn
from longwire.upstream.transport import Call, Facts, Stream, Transport


@dataclass(frozen=True, slots=True)
class Channel:
    """A running channel: its `route`, the identity of its endpoint, and the way to it."""

    route: Route
    endpoint: str
    transport: Transport
    takes_background: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The running routing configuration; a turn takes one and keeps it to its end."""

    channels: Mapping[str, Channel]
    session_headers: tuple[str, ...] = ()


class Answer:
    """The answer to one turn: iterate it once for batches of events, up to the terminal.

    An empty batch tells of silence.
    """

    __slots__ = ("_batches", "_first", "_stream", "channel")

    def __init__(
        self,
        channel: str,
        stream: Stream,
        first: Sequence[Event],
        batches: AsyncIterator[Sequence[Event]],
    ) -> None:
        self.channel = channel
        self._stream = stream
        self._first: Sequence[Event] | None = first
        self._batches = batches

    @property
    def facts(self) -> Facts:
        """How the turn travelled."""
        return self._stream.facts

    @property
    def aggregate(self) -> Aggregate:
        """What was seen of the response so far."""
        return self._stream.aggregate

    def __aiter__(self) -> "Answer":
        """Give the events as they come."""
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next batch. Raises `UpstreamError` where the response broke off."""
        first, self._first = self._first, None
        return await anext(self._batches) if first is None else first


class Relay:
    """Sends turns upstream by the current snapshot; replacing `snapshot` is the whole swap."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @asynccontextmanager
    async def open(
        self, turn: Turn, caller: Principal, headers: Mapping[str, str]
    ) -> AsyncIterator[Answer]:
        """Send a turn; `headers` are the caller's, lower case. Leaving early abandons the answer.

        Raises `UnknownModel`, `InvalidRequest`, `Overloaded` or `UpstreamError` before any event.
        """
        snapshot = self.snapshot
        channel = _choose(snapshot, turn)
        call = Call(
            turn, _session_key(snapshot, channel, turn, caller, headers), forwarded(headers)
        )
        async with channel.transport.open(call) as stream:
            batches = aiter(stream)
            first = await _first_events(batches)
            yield Answer(channel.route.channel, stream, first, batches)


def _choose(snapshot: Snapshot, turn: Turn) -> Channel:
    choice = choose((channel.route for channel in snapshot.channels.values()), turn.model)
    if not choice.candidates:
        raise UnknownModel(turn.model, choice.explanation)
    channel = snapshot.channels[choice.candidates[0]]
    if turn.runs_in_background and not channel.takes_background:
        msg = (
            "'background' needs an HTTP upstream; "
            f"channel '{channel.route.channel}' speaks WebSocket."
        )
        raise InvalidRequest(msg, param="background")
    return channel


def _session_key(
    snapshot: Snapshot,
    channel: Channel,
    turn: Turn,
    caller: Principal,
    headers: Mapping[str, str],
) -> SessionKey | None:
    if caller.scope is None:
        return None
    return SessionKey(
        endpoint=channel.endpoint,
        scope=caller.scope,
        session=session_id(headers, turn.session_hints, snapshot.session_headers),
        identity=fingerprint(forwarded(headers).items()),
    )


async def _first_events(batches: AsyncIterator[Sequence[Event]]) -> Sequence[Event]:
    async for batch in batches:
        if batch:
            return batch
    msg = "The upstream ended the response before it began."
    raise UpstreamDisconnected(msg)
