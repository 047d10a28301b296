"""The Codex backend: what it is sent beside a turn, and what it tells beside its events.

Law: a routing token goes back to the channel that gave it, for the caller it was given to, and to
nobody else.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from longwire.core.errors import InvalidRequest, LongwireError, UpstreamRejected
from longwire.core.events import Event, Kind
from longwire.core.nouns.quota import Quota, QuotaTracker
from longwire.core.rules.turn import UNARY, Purpose, Scope, Turn
from longwire.dialects.codex import client, rules
from longwire.dialects.codex.client import TURN_STATE
from longwire.dialects.codex.limits import RATE_LIMITS, decode_quota_event, decode_quota_headers
from longwire.dialects.ports import NO_HEADERS, Headers
from longwire.relay.channels.vendors.ports import Beginning, Notice, Vendor
from longwire.upstream.ports import Call, Stream

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
    sends_notices = True

    def __init__(self, channel: str, quota: QuotaTracker, tokens: RoutingTokens) -> None:
        self.channel = channel
        self._quota = quota
        self._tokens = tokens

    def refusal(self, turn: Turn) -> InvalidRequest | None:
        """Return why the backend can never answer a turn, None if it may."""
        return rules.refusal(turn)

    def adapt(self, turn: Turn) -> Turn:
        """Return a turn by the rules of the backend."""
        return rules.compacted(turn) if turn.purpose is Purpose.COMPACTION else rules.adapted(turn)

    def address(
        self, call: Call, scope: Scope | None, headers: Headers, *, over_http: bool
    ) -> Call:
        """Return a call as it goes out: as whom it speaks, by the rules of its transport."""
        turn, named = call.turn, client.forwarded(headers)
        token = client.turn_state(turn, headers)
        if not over_http:
            turn = rules.with_request_headers(turn, named)
        elif turn.purpose not in UNARY:
            named |= rules.request_headers(turn)
            turn = rules.over_http(turn)
        if token:
            is_own = self._tokens.is_of(scope, token, self.channel)
            turn = client.with_turn_state(turn, token if is_own and not over_http else "")
            named |= {TURN_STATE: token} if is_own and over_http else {}
        return replace(call, turn=turn, headers=named, adapt_input=rules.self_contained)

    def begin(self, stream: Stream, scope: Scope | None, running: Iterable[Vendor]) -> Beginning:
        """Learn of the quota and of a routing token, which goes to a client's WebSocket, too."""
        seen = _understood(stream.headers, running)
        if stream.delivery.transport == "websocket":
            # A handshake of long ago said it; the frames say it anew with each turn.
            return Beginning(client.without_account(seen))
        self._learn(decode_quota_headers(stream.headers, time.time()))
        token = seen.get(TURN_STATE)
        if token is None:
            return Beginning(seen)
        self._tokens.note(scope, token, self.channel)
        raw = rules.encode_metadata({TURN_STATE: token})
        return Beginning(seen, (Event(Kind.VENDOR, rules.METADATA, raw),))

    def observe(self, event: Event, scope: Scope | None, running: Iterable[Vendor]) -> Notice:
        """Learn of the quota and of routing tokens."""
        if event.name == RATE_LIMITS:
            self._learn(decode_quota_event(event.raw, time.time()))
        elif event.name == rules.METADATA:
            raw, headers = rules.decode_metadata(event.raw)
            if token := headers.get(TURN_STATE):
                self._tokens.note(scope, token, self.channel)
            return Notice(event._replace(raw=raw), _understood(headers, running))
        return Notice(event)

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


def _understood(headers: Headers, running: Iterable[Vendor]) -> dict[str, str]:
    """Return what a client may see; of several channels the mark of one's models means nothing."""
    seen = client.understood(headers)
    channels = {each.channel.partition("/")[0] for each in running if isinstance(each, Codex)}
    if len(channels) > 1:
        seen.pop(client.MODELS_MARK, None)
    return seen
