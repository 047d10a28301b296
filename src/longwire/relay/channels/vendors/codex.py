"""What a Codex upstream tells beside its events, and what it is told beside a turn.

Law: a routing token goes back to the channel that gave it, for the caller it was given to, and to
nobody else. What is told of a subscription is the channel's own knowledge.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from longwire.core.errors import UpstreamError, UpstreamRejected
from longwire.core.events import Event, Kind
from longwire.core.rules.session import TURN_STATE, codex_block
from longwire.core.rules.turn import COMPACTION, Scope, Turn
from longwire.dialects.codex import rules as codex
from longwire.dialects.codex.limits import RATE_LIMITS, decode_quota_event, decode_quota_headers
from longwire.relay.channels.channel import Channel
from longwire.upstream.ports import Call, Stream

_REMEMBERED = 4096


class TurnStates:
    """Which channel gave which routing token to whom; the newest of them, of one process."""

    __slots__ = ("_given",)

    def __init__(self) -> None:
        self._given: OrderedDict[tuple[Scope | None, str], str] = OrderedDict()

    def note(self, scope: Scope | None, token: str, channel: str) -> None:
        """Remember that a channel gave a token."""
        self._given[scope, token] = channel
        self._given.move_to_end((scope, token))
        if len(self._given) > _REMEMBERED:
            self._given.popitem(last=False)

    def is_of(self, scope: Scope | None, token: str, channel: str) -> bool:
        """Whether this channel gave the token to this caller."""
        return self._given.get((scope, token)) == channel


def as_sent(channel: Channel, turn: Turn) -> Turn:
    """Return a renamed turn by the rules of the channel's upstream."""
    if not channel.is_codex:
        return turn
    return codex.compacted(turn) if turn.api == COMPACTION else codex.adapted(turn)


def addressed(channel: Channel, call: Call, headers: Mapping[str, str], *, over_http: bool) -> Call:
    """Return a call as it goes out: as whom it speaks, and by the rules of its transport."""
    if not channel.is_codex:
        return call
    turn, named = call.turn, codex_block(headers)
    if not over_http:
        turn = codex.with_request_headers(turn, named)
    elif turn.api != COMPACTION:
        named |= codex.request_headers(turn)
        turn = codex.over_http(turn)
    return Call(turn, call.key, named, call.reason)


def with_state(call: Call, token: str, *, over_http: bool) -> Call:
    """Return a call with its routing token where its transport has it; "" takes it away."""
    turn = codex.with_turn_state(call.turn, "" if over_http else token)
    named = {**call.headers, TURN_STATE: token} if token and over_http else call.headers
    return Call(turn, call.key, named, call.reason)


class CodexStream:
    """The batches of one stream of a Codex channel, with an ear for what is told beside them."""

    __slots__ = ("_batches", "_channel", "_clock", "_notices", "_remember", "told")

    def __init__(
        self,
        channel: Channel,
        stream: Stream,
        remember: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._batches: AsyncIterator[Sequence[Event]] = aiter(stream)
        self._channel = channel
        self._remember = remember
        self._clock = clock
        self._notices: list[Event] = []
        self.told = codex.told_by(stream.headers)
        if stream.delivery.transport == "http":
            channel.observe(decode_quota_headers(stream.headers, clock()))
            self._open_with_state()
        else:
            self._forget_limits()

    def _open_with_state(self) -> None:
        """Tell on a client's WebSocket, too, what came as a header."""
        token = self.told.get(TURN_STATE)
        if token:
            self._remember(token)
            raw = codex.encode_metadata({TURN_STATE: token})
            self._notices.append(Event(Kind.VENDOR, codex.METADATA, raw))

    def _forget_limits(self) -> None:
        """Leave out what a handshake of long ago said: the frames say it anew with each turn."""
        self.told = {k: v for k, v in self.told.items() if not k.startswith("x-codex-")}

    def __aiter__(self) -> "CodexStream":
        """Give the batches as they come."""
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next batch."""
        if self._notices:
            notices, self._notices = self._notices, []
            return notices
        batch = await anext(self._batches)
        if any(event.kind is Kind.VENDOR for event in batch):
            return [self._heard(each) if each.kind is Kind.VENDOR else each for each in batch]
        return batch

    def _heard(self, event: Event) -> Event:
        if event.name == RATE_LIMITS:
            self._channel.observe(decode_quota_event(event.raw, self._clock()))
        elif event.name == codex.METADATA:
            raw, headers = codex.decode_metadata(event.raw)
            self.told |= codex.told_by(headers)
            if token := headers.get(TURN_STATE):
                self._remember(token)
            return event._replace(raw=raw)
        return event


def observe_failure(channel: Channel, failure: Exception) -> None:
    """Take what an error tells of the subscription."""
    if channel.is_codex and isinstance(failure, UpstreamError):
        headers = failure.headers if isinstance(failure, UpstreamRejected) else {}
        channel.observe(decode_quota_headers(headers, time.time()))
