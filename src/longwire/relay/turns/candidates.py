"""Which running channels may serve a turn, in which order, and where its session is at home.

The rules are `core/rules/routing`'s and `core/nouns/quota`'s; this asks who holds what, and has the
homes of sessions, and of what upstreams hold, remembered.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import TypeVar

from longwire.core.errors import InvalidRequest, UnknownModel
from longwire.core.ports import Limits
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.continuity import Reason
from longwire.core.rules.homes import held_key, owned_key, session_home_key
from longwire.core.rules.limits import Subject
from longwire.core.rules.routing import IN_SESSION, Choice, Refusal, Refused, choose, ranked
from longwire.core.rules.session import fingerprint
from longwire.core.rules.targets import TurnFacts, choose_target
from longwire.core.rules.turn import UNARY, Purpose, SessionKey, Turn, TurnRequest
from longwire.dialects.responses.errors import PREVIOUS_NOT_FOUND
from longwire.dialects.responses.item_ids import ids_of
from longwire.dialects.responses.usage import expected_usage
from longwire.relay.channels.channel import Channel, Snapshot
from longwire.relay.homes import Homes, home_of_response
from longwire.relay.records.accounting import Price, TurnRecord
from longwire.relay.turns.able import Candidate, in_background, none_left, unsayable
from longwire.relay.turns.limited import limited_subjects, none_within
from longwire.relay.turns.sealed import Strangers, Unreadable

_REMEMBERED_SESSIONS = 4096
_PASSED = Purpose.PASSED
_channel = attrgetter("channel")
_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Policy:
    """How turns travel, as set, and what the pool tells of a session and its turn.

    `holds`: a connection, busy or idle, is where it belongs, by the response it names, its session
    or its history; `continues`: an idle one holds its history, and can go on. `price` gives what
    tokens of the first model that has a price cost, in billionths of a US dollar.
    """

    holds: Callable[[SessionKey, Turn], bool]
    replays_after_created: bool = False
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    continues: Callable[[SessionKey, Turn], bool] = lambda _key, _turn: False
    price: Price = lambda *_, **_configured: None


Sent = Callable[[Channel], Turn]
"""Gives a turn as a channel sends it."""


class Candidates:
    """Chooses channels for turns."""

    __slots__ = ("_homes", "_limits", "_over_http", "policy", "strangers", "unreadable")

    def __init__(self, policy: Policy, limits: Limits, homes: Homes) -> None:
        self.policy = policy
        self._limits = limits
        self._homes = homes
        self.unreadable = Unreadable()
        self.strangers = Strangers()
        self._over_http: OrderedDict[SessionKey, None] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Candidates {self._homes!r} over_http={len(self._over_http)}>"

    async def choose(
        self, snapshot: Snapshot, request: TurnRequest, sent: Sent, record: TurnRecord
    ) -> Sequence[Candidate]:
        """Return who may serve a turn, best first; the `record` has who was left at each stage.

        Raises `UnknownModel`, `LimitReached`, `InvalidRequest`, or as an account's upstream would.
        """
        turn, stages, choice = request.turn, record.stages, self._choice(snapshot, request)
        record.refused, own = choice.refusals, snapshot.channels
        if not choice.candidates:
            raise UnknownModel(turn.model, choice.explanation)
        channels = [own.get(route.id) or snapshot.target(route) for route in choice.candidates]
        channels = _speaking(channels, turn, record)
        if turn.previous_response_id is not None:
            await self._refuse_others(turn.previous_response_id, request)
        stages.append((Refusal.VENDOR, channels))
        able, home = _willing([self._candidate(each, request) for each in channels], turn), None
        moves = is_whole = turn.is_self_contained
        if len(able) > 1:
            stages.append((Refusal.ELSEWHERE, [*map(_channel, able)]))
            home = await self._homes.get(session_home_key(*request.conversation))
            if (holder := await self._holder(able, request, sent, home)) is not None:
                able, moves = _sharing(able, holder, self.policy.clock()), False
        stages.append((Refusal.ACCOUNT, [*map(_channel, able)]))
        able = self.able_accounts(able, may_wait=moves)
        stages.append((Refusal.LIMIT, [*map(_channel, able)]))
        if snapshot.bounds_channels:
            able = await self.within_limits(able, None if moves else home, snapshot.budgets)
        if len(able) > 1:
            able = self._ordered(able, request, sent, home, record)
        if not is_whole:  # what one API holds is not said in another between attempts
            stages.append((Refusal.BOUND, [*map(_channel, able)]))
            able = [each for each in able if each.channel.way.api == able[0].channel.way.api]
        if turn.runs_in_background:
            stages.append((Refusal.BACKGROUND, [*map(_channel, able)]))
            able = in_background(able)
        stages.append((None, [*map(_channel, able)]))
        return able

    def serving(self, snapshot: Snapshot, request: TurnRequest) -> Sequence[Candidate]:
        """Return who could serve a turn, in no order, whether they may now or not."""
        routes, own = self._choice(snapshot, request).candidates, snapshot.channels
        return [
            self._candidate(own.get(route.id) or snapshot.target(route), request)
            for route in routes
        ]

    def _candidate(self, channel: Channel, request: TurnRequest) -> Candidate:
        scope, key = request.caller.scope, None
        if scope is not None:
            identity = request.identity
            if channel.changes_headers:
                headers = channel.headers_of(request.turn, request.forwarded)
                identity = fingerprint(headers.items())
            key = SessionKey(channel.endpoint, scope, request.session, identity)
        return Candidate(channel, channel.state, key)

    def _choice(self, snapshot: Snapshot, request: TurnRequest) -> Choice:
        """Tell who may serve a turn. Raises `UnknownModel` for a model that the key has not."""
        turn, grant = request.turn, request.caller.grant
        if not grant.allows_model(turn.model):
            reason = "may not use it" if turn.model else "is bound to models; name one of them"
            raise UnknownModel(turn.model, f"this key {reason}")
        if snapshot.models and (found := snapshot.models.get(turn.model)) is not None:
            if not found.model.serves_project(grant.project_id):
                raise UnknownModel(turn.model, "it is not for the project of this key")
            return choose_target(found, _facts(request))
        routes = [channel.route for channel in snapshot.channels.values()]
        return choose(routes, turn.model, grant.allows_channel)

    async def _refuse_others(self, previous: str, request: TurnRequest) -> None:
        """Raise `InvalidRequest` for a stored response of another caller, as for one that is none.

        Its upstream would go on from it for whoever names it: one account serves all callers.
        """
        _, is_anothers = await home_of_response(self._homes, request.caller.scope, previous)
        if is_anothers:
            msg = f"Previous response with id '{previous}' not found."
            raise InvalidRequest(msg, param="previous_response_id", code=PREVIOUS_NOT_FOUND)

    async def _holder(
        self, candidates: list[Candidate], request: TurnRequest, sent: Sent, home: str | None
    ) -> Candidate | None:
        """Return who alone has what a turn names, None where it names nothing or that is unknown.

        Of items and files whose home is not known, it is the home of their session.
        """
        turn, by_route = request.turn, {each.channel.route_id: each for each in candidates}
        for identity in turn.named:
            found = await self._homes.get(held_key(request.caller.scope, identity))
            if found in by_route:
                return by_route[found]
        if turn.refers_outside:
            return next((each for each in candidates if self._is_held(each, sent)), None)
        return by_route.get(home or "") if turn.named else None

    def able_accounts(self, candidates: list[Candidate], *, may_wait: bool) -> list[Candidate]:
        """Leave out accounts that are signed out or have used up their quota.

        What only one account understands goes there anyway: its upstream has the last word.
        Where none is left it raises `AccountUnavailable`, or `UpstreamRejected` as upstream would.
        """
        now = self.policy.wall_clock()
        free: list[Candidate] = []
        for each in candidates:
            is_blocked = may_wait and each.state.quota.quota.blocked_until(now) is not None
            if not is_blocked and not each.channel.is_signed_out():
                free.append(each)
        if not free:
            raise none_left(candidates, now)
        return free

    async def within_limits(
        self, candidates: list[Candidate], home: str | None, budgets: Mapping[str, Subject]
    ) -> list[Candidate]:
        """Leave out the channels that may take no turn now, by their limits and budgets.

        Raises `LimitReached` for all, or for the `home` of what no other one understands.
        """
        bound = {each.channel.id: limited_subjects(each.channel, budgets) for each in candidates}
        limited = [subject for subjects in bound.values() for subject in subjects]
        waits = await self._limits.waits(limited) if limited else {}
        if not waits:
            return candidates
        blocked = {
            channel_id: max(over, key=itemgetter(1))
            for channel_id, subjects in bound.items()
            if (over := [(each, waits[each.id]) for each in subjects if each.id in waits])
        }
        free = [each for each in candidates if each.channel.id not in blocked]
        at_home = [each.channel.id for each in candidates if each.channel.route_id == home]
        stuck = [blocked[each] for each in at_home if each in blocked]
        if stuck or not free:
            raise none_within(stuck or [*blocked.values()], self.policy.wall_clock())
        return free

    def _ordered(
        self,
        candidates: list[Candidate],
        request: TurnRequest,
        sent: Sent,
        home: str | None,
        record: TurnRecord,
    ) -> list[Candidate]:
        """Order the candidates; a turn that only one account understands waits for no other."""
        now, wall = self.policy.clock(), self.policy.wall_clock()
        moves = request.turn.is_self_contained
        by_route = {each.channel.chosen.id: each for each in candidates}

        def is_trusted(name: str) -> bool:
            """Trust health, and for a turn that moves to no other channel who understands it."""
            if moves:
                return by_route[name].state.health.is_trusted(now)
            return self._belongs(by_route[name], request, sent, home)

        record.ranks = ranked(
            [each.channel.chosen for each in candidates],
            request.conversation[1],
            belongs=lambda name: self._belongs(by_route[name], request, sent, home),
            is_trusted=is_trusted,
            is_home=lambda name: by_route[name].channel.route_id == home,
            headroom=lambda name: by_route[name].state.quota.quota.headroom(wall),
        )
        ordered = [by_route[route.id] for _, route in record.ranks]
        if moves or not ordered[-1].channel.chosen.fallback:
            return ordered
        # What is not whole stays with the model's own targets, or where it was made.
        record.stages.append((Refusal.BOUND, [*map(_channel, ordered)]))
        bound = [
            by_route[route.id]
            for (is_elsewhere, *_), route in record.ranks
            if not (route.fallback and is_elsewhere)
        ]
        return bound or ordered

    def _belongs(
        self, candidate: Candidate, request: TurnRequest, sent: Sent, home: str | None
    ) -> bool:
        """Say whether a turn belongs to a channel, wherever its session has its home.

        A named session has its home anyway, unless what the turn carries came from elsewhere;
        without a name the chain itself says where.
        """
        turn = request.turn
        if not turn.is_self_contained:
            if home is not None and not turn.refers_outside:
                return candidate.channel.route_id == home
        elif request.session:
            return False
        return self._is_held(candidate, sent)

    def _is_held(self, candidate: Candidate, sent: Sent) -> bool:
        """Say whether a connection of a channel may serve a turn."""
        key = candidate.session_key
        return key is not None and self.policy.holds(key, sent(candidate.channel))

    def continues(self, candidate: Candidate, turn: Turn) -> bool:
        """Say whether a free connection of a channel holds the history of a turn it sends."""
        key = candidate.session_key
        return key is not None and self.policy.continues(key, turn)

    def preference(self, turn: Turn, candidate: Candidate) -> Reason | None:
        """Say why a channel with both transports should use HTTP, if it should."""
        channel, key = candidate.channel, candidate.session_key
        if channel.websocket is None or channel.http is None:
            return None
        if turn.runs_in_background or key in self._over_http:
            return Reason.HTTP_TRANSPORT
        is_implicit = key is None or key.is_implicit
        if turn.source.is_side_call or (is_implicit and turn.is_one_shot):
            return Reason.ONE_SHOT
        return None

    def note_home(
        self, request: TurnRequest, channel: Channel, shared_apis: Collection[str]
    ) -> None:
        """Remember who answered: it has what was named, and alone may understand its answer."""
        if request.turn.purpose is _PASSED:
            return  # nothing goes on from it
        self._homes.put(session_home_key(*request.conversation), channel.route_id)
        for identity in request.turn.named:
            self._homes.put(held_key(request.caller.scope, identity), channel.route_id)
        if channel.way.api in shared_apis:
            self.strangers.note_maker(request, channel)

    def note_unreadable(self, request: TurnRequest, channel: Channel) -> None:
        """Remember that no channel could read what was sealed in a turn, this one the last."""
        self.unreadable.note(request)
        self.strangers.note_refusal(request, channel)

    def note_response(self, request: TurnRequest, channel: Channel, seen: Aggregate) -> None:
        """Remember who has a response that may be named later, and that it is somebody's."""
        event = seen.opening or seen.terminal
        if event is not None and event.response_id:
            self._homes.put(held_key(request.caller.scope, event.response_id), channel.route_id)
            self._homes.put(owned_key(event.response_id), channel.route_id)

    def note_items(self, request: TurnRequest, channel: Channel, seen: Aggregate) -> None:
        """Remember who has the items of a response that is stored: a turn may refer to them."""
        for identity in ids_of(seen.output):
            self._homes.put(held_key(request.caller.scope, identity), channel.route_id)

    def keep_over_http(self, candidate: Candidate) -> None:
        """Keep a session over HTTP whose context has outgrown the WebSocket's messages."""
        key = candidate.session_key
        if key is not None and not key.is_implicit:
            _remember(self._over_http, key, None)


def _sharing(candidates: Iterable[Candidate], holder: Candidate, now: float) -> list[Candidate]:
    """Return who has what one candidate holds: itself alone, or other keys while its key rests.

    What an upstream stores is a project's, so keys share it where the channel names the project.
    """
    channel = holder.channel
    if channel.key is None or not channel.spec.project or holder.state.health.is_trusted(now):
        return [holder]
    others = (each for each in candidates if each.channel.id == channel.id)
    return [each for each in others if each.state.health.is_trusted(now)] or [holder]


def _speaking(channels: list[Channel], turn: Turn, record: TurnRecord) -> list[Channel]:
    """Return the channels that can be told a turn, each with its way; the record has the others.

    Raises `InvalidRequest` where none is left.
    """
    able: list[Channel] = []
    unable: list[Refused] = []
    for channel in channels:
        way = channel.way_of(turn)
        if way is None:
            apis = ", ".join(channel.apis)
            unable.append(Refused(channel.chosen, Refusal.UNSAYABLE, apis))
        else:
            able.append(channel if way is IN_SESSION else channel.serving(way))
    if unable:
        record.refused = (*unable, *record.refused)
    if not able:
        raise unsayable(channels, turn.source)
    return [channel.unary for channel in able] if turn.purpose in UNARY else able


def _willing(candidates: list[Candidate], turn: Turn) -> list[Candidate]:
    """Leave out the channels whose upstream can never answer a turn.

    Raises `InvalidRequest` where none is left, with the mend of the first.
    """
    refusals = [each.channel.vendor.refusal(turn) for each in candidates]
    if not any(refusals):
        return candidates
    able = [each for each, refusal in zip(candidates, refusals, strict=True) if refusal is None]
    if not able and refusals[0] is not None:
        raise refusals[0]
    return able


def _facts(request: TurnRequest) -> TurnFacts:
    """Return what conditions of a model's targets ask of a turn."""
    turn = request.turn
    return TurnFacts(
        turn.source.api.partition("/")[0],
        turn.streams,
        turn.has_tools,
        request.caller.grant,
        lambda: expected_usage(turn).input,
    )


def _remember(memory: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    """Keep what is newest, of a bounded number of sessions."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED_SESSIONS:
        memory.popitem(last=False)
