"""Which running channels may serve a turn, in which order, and where its session has been.

The rules are `core/rules/routing`'s and `core/nouns/quota`'s; this asks who holds what, and
remembers where sessions went, of a bounded number of them.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeVar

from longwire.core.errors import InvalidRequest, LimitReached, UnknownModel
from longwire.core.rules.continuity import Reason
from longwire.core.rules.routing import Choice, choose, order
from longwire.core.rules.turn import COMPACTION, SessionKey
from longwire.relay.channels.channel import Channel, Snapshot
from longwire.relay.limits import Limits
from longwire.relay.turns.attempts import none_left
from longwire.relay.turns.running import Passage, Policy

_REMEMBERED_SESSIONS = 4096
_K = TypeVar("_K")
_V = TypeVar("_V")


class Candidates:
    """Chooses channels for turns."""

    def __init__(self, policy: Policy, limits: Limits) -> None:
        self._policy = policy
        self._limits = limits
        self._over_http: OrderedDict[SessionKey, None] = OrderedDict()
        self._served_by: OrderedDict[tuple[str | None, str], str] = OrderedDict()

    async def channels(self, snapshot: Snapshot, passage: Passage) -> Sequence[Channel]:
        """Return who may serve a turn, best first.

        Raises `UnknownModel`, `LimitReached` or `InvalidRequest` where nobody may, and what an
        account would be told by its upstream.
        """
        turn, choice = passage.turn, self.choice(snapshot, passage)
        if not choice.candidates:
            raise UnknownModel(turn.model, choice.explanation)
        able = [snapshot.channels[route.id] for route in choice.candidates]
        able = self._able_accounts(able, passage)
        able = await self._within_limits(able)
        if len(able) > 1:
            able = self._ordered(able, passage)
        if turn.api == COMPACTION:
            return [channel.unary for channel in able]
        if turn.runs_in_background:
            able = [each for each in able if each.http is not None and not each.is_codex]
        if not able:
            msg = "'background' needs an HTTP upstream; the channels of this model have none."
            raise InvalidRequest(msg, param="background")
        return able

    def choice(self, snapshot: Snapshot, passage: Passage) -> Choice:
        """Tell who may serve a turn. Raises `UnknownModel` for a model that the key has not."""
        turn, grant = passage.turn, passage.caller.grant
        if not grant.allows_model(turn.model):
            raise UnknownModel(turn.model, "this key may not use it")
        routes = [channel.route for channel in snapshot.channels.values()]
        return choose(routes, turn.model, grant.allows_channel)

    def _able_accounts(self, channels: list[Channel], passage: Passage) -> list[Channel]:
        """Leave out accounts that are signed out or have used up their quota.

        What only one account understands goes there anyway: its upstream has the last word.
        Where none is left it raises `AccountUnavailable`, or `UpstreamRejected` as upstream would.
        """
        now = self._policy.wall_clock()
        may_wait = passage.turn.is_self_contained
        free: list[Channel] = []
        for each in channels:
            is_blocked = may_wait and each.quota_tracker.quota.blocked_until(now) is not None
            if not is_blocked and not each.is_signed_out():
                free.append(each)
        if not free:
            raise none_left(channels, now)
        return free

    async def _within_limits(self, channels: list[Channel]) -> list[Channel]:
        """Leave out the channels that may take no turn now. Raises `LimitReached` for all."""
        waits: list[int] = []
        free: list[Channel] = []
        for each in channels:
            subject = each.subject
            seconds = await self._limits.wait(subject) if subject.is_limited else 0
            if seconds:
                waits.append(seconds)
            else:
                free.append(each)
        if not free:
            msg = "Every channel of this model is at its limit; try again later."
            raise LimitReached(msg, code="rate_limit_exceeded", retry_after=min(waits))
        return free

    def _ordered(self, channels: list[Channel], passage: Passage) -> list[Channel]:
        """Order the candidates; a turn that only one account understands waits for no other."""
        now, moves = self._policy.clock(), passage.turn.is_self_contained
        wall, home = self._policy.wall_clock(), self._served_by.get(passage.conversation)
        by_key = {channel.key: channel for channel in channels}
        ordered = order(
            [channel.route for channel in channels],
            passage.conversation[1],
            holds=lambda name: self._holds(by_key[name], passage),
            is_trusted=lambda name: not moves or by_key[name].health.is_trusted(now),
            is_home=lambda name: name == home,
            headroom=lambda name: by_key[name].quota_tracker.quota.headroom(wall),
        )
        return [by_key[name] for name in ordered]

    def _holds(self, channel: Channel, passage: Passage) -> bool:
        """Say whether a turn belongs to a channel, wherever its session has its home.

        A named session has its home anyway, unless what the turn carries came from elsewhere;
        without a name the chain itself says where.
        """
        if not passage.turn.is_self_contained:
            last = self._served_by.get(passage.conversation)
            if last is not None and not passage.turn.refers_outside:
                return channel.key == last
        elif passage.session:
            return False
        key = passage.key(channel)
        return key is not None and self._policy.holds(key, passage.sent(channel))

    def continues(self, channel: Channel, passage: Passage) -> bool:
        """Say whether a free connection of a channel holds the turn's history."""
        key = passage.key(channel)
        return key is not None and self._policy.continues(key, passage.sent(channel))

    def preference(self, passage: Passage, channel: Channel) -> Reason | None:
        """Say why a channel with both transports should use HTTP, if it should."""
        if channel.websocket is None or channel.http is None:
            return None
        turn, key = passage.turn, passage.key(channel)
        if turn.runs_in_background or key in self._over_http:
            return Reason.HTTP_TRANSPORT
        is_implicit = key is None or key.is_implicit
        if is_implicit and turn.is_one_shot:
            return Reason.ONE_SHOT
        return None

    def seat(self, passage: Passage, channel: Channel) -> None:
        """Remember who answered: what later turns carry of the answer, it alone may understand."""
        _remember(self._served_by, passage.conversation, channel.key)

    def keep_over_http(self, passage: Passage, channel: Channel) -> None:
        """Keep a session over HTTP whose context has outgrown the WebSocket's messages."""
        key = passage.key(channel)
        if key is not None and not key.is_implicit:
            _remember(self._over_http, key, None)


def _remember(memory: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    """Keep what is newest, of a bounded number of sessions."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED_SESSIONS:
        memory.popitem(last=False)
