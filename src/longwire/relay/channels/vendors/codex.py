"""The Codex backend: what it is sent beside a turn, and what it tells beside its events.

Law: a routing token goes back to the channel that gave it, for the caller it was given to, and to
nobody else. What is told of a subscription is the channel's own knowledge.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

from longwire.core.errors import LongwireError, UpstreamRejected
from longwire.core.events import Event, Kind
from longwire.core.nouns.quota import Quota, QuotaTracker
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import COMPACTION, Scope, Turn
from longwire.dialects.codex import client, rules
from longwire.dialects.codex.client import TURN_STATE
from longwire.dialects.codex.limits import RATE_LIMITS, decode_quota_event, decode_quota_headers
from longwire.relay.channels.vendors.ports import NO_HEADERS, Headers, Vendor
from longwire.upstream.ports import Call, Delivery, Stream, Take

_REMEMBERED = 4096


class RoutingTokens:
    """Which channel gave which routing token to whom; the newest of them, of one process."""

    __slots__ = ("_channels",)

    def __init__(self) -> None:
        self._channels: OrderedDict[tuple[Scope | None, str], str] = OrderedDict()

    def note(self, scope: Scope | None, token: str, channel: str) -> None:
        """Remember that a channel gave a token."""
        self._channels[scope, token] = channel
        self._channels.move_to_end((scope, token))
        if len(self._channels) > _REMEMBERED:
            self._channels.popitem(last=False)

    def is_of(self, scope: Scope | None, token: str, channel: str) -> bool:
        """Whether this channel gave the token to this caller."""
        return self._channels.get((scope, token)) == channel


class Codex:
    """A channel of the type `codex`; `channel` is what it is called among those that run."""

    __slots__ = ("_quota", "_tokens", "channel")
    headers = NO_HEADERS
    handshake_headers: Headers = rules.BETA
    default_headers: Headers = rules.IDENTITY
    takes_background = False
    lists_for_codex = True
    needs_credentials = True

    def __init__(self, channel: str, quota: QuotaTracker, tokens: RoutingTokens) -> None:
        self.channel = channel
        self._quota = quota
        self._tokens = tokens

    def adapt(self, turn: Turn) -> Turn:
        """Return a turn by the rules of the backend."""
        return rules.compacted(turn) if turn.api == COMPACTION else rules.adapted(turn)

    def address(
        self, call: Call, scope: Scope | None, headers: Headers, *, over_http: bool
    ) -> Call:
        """Return a call as it goes out: as whom it speaks, by the rules of its transport."""
        turn, named = call.turn, client.forwarded(headers)
        token = rules.turn_state(turn, headers)
        if not over_http:
            turn = rules.with_request_headers(turn, named)
        elif turn.api != COMPACTION:
            named |= rules.request_headers(turn)
            turn = rules.over_http(turn)
        if token:
            is_own = self._tokens.is_of(scope, token, self.channel)
            turn = rules.with_turn_state(turn, token if is_own and not over_http else "")
            named |= {TURN_STATE: token} if is_own and over_http else {}
        return Call(turn, call.key, named, call.reason)

    def observe(self, stream: Stream, scope: Scope | None, running: Iterable[Vendor]) -> Stream:
        """Return a stream that learns of the quota and of routing tokens."""

        def remember(token: str) -> None:
            self._tokens.note(scope, token, self.channel)

        channels = {each.channel.partition("/")[0] for each in running if isinstance(each, Codex)}
        return CodexStream(stream, self._learn, remember, is_only_one=len(channels) == 1)

    def observe_handshake(self, headers: Headers) -> None:
        """Learn of the quota."""
        self._learn(decode_quota_headers(headers, time.time()))

    def observe_failure(self, failure: LongwireError) -> None:
        """Learn of the quota from what an error says of it."""
        if isinstance(failure, UpstreamRejected):
            self._learn(decode_quota_headers(failure.headers, time.time()))

    def _learn(self, quota: Quota | None) -> None:
        if quota is not None:
            self._quota.observe(quota)


class CodexStream:
    """The batches of one stream of a Codex channel, with what is told beside them.

    Its `headers` are those that a Codex client may see, and grow with what its events tell. Among
    several channels the mark of one model list means nothing.
    """

    __slots__ = ("_batches", "_learn", "_notices", "_remember", "_stream", "_unseen", "headers")

    def __init__(
        self,
        stream: Stream,
        learn: Callable[[Quota | None], None],
        remember: Callable[[str], None],
        *,
        is_only_one: bool,
    ) -> None:
        self._batches: AsyncIterator[Sequence[Event]] = aiter(stream)
        self._learn = learn
        self._notices: list[Event] = []
        self._remember = remember
        self._stream = stream
        self._unseen = frozenset() if is_only_one else frozenset({client.MODELS_MARK})
        self.headers = self._seen(stream.headers)
        if stream.delivery.transport == "http":
            learn(decode_quota_headers(stream.headers, time.time()))
            self._open_with_state()
        else:
            # A handshake of long ago said it; the frames say it anew with each turn.
            self.headers = client.without_account(self.headers)

    @property
    def delivery(self) -> Delivery:
        """How this turn travels."""
        return self._stream.delivery

    @property
    def aggregate(self) -> Aggregate:
        """What was seen of the response so far."""
        return self._stream.aggregate

    def pass_on(self, take: Take) -> None:
        """Offer events that nothing depends on; the upstream's own are never among them."""
        self._stream.pass_on(take)

    def _seen(self, headers: Mapping[str, str]) -> dict[str, str]:
        understood = client.understood(headers)
        return {name: value for name, value in understood.items() if name not in self._unseen}

    def _open_with_state(self) -> None:
        """Tell on a client's WebSocket, too, what came as a header."""
        token = self.headers.get(TURN_STATE)
        if token:
            self._remember(token)
            raw = rules.encode_metadata({TURN_STATE: token})
            self._notices.append(Event(Kind.VENDOR, rules.METADATA, raw))

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
            return [self._observed(each) if each.kind is Kind.VENDOR else each for each in batch]
        return batch

    def _observed(self, event: Event) -> Event:
        if event.name == RATE_LIMITS:
            self._learn(decode_quota_event(event.raw, time.time()))
        elif event.name == rules.METADATA:
            raw, headers = rules.decode_metadata(event.raw)
            self.headers |= self._seen(headers)
            if token := headers.get(TURN_STATE):
                self._remember(token)
            return event._replace(raw=raw)
        return event
