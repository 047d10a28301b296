"""The laws of the ledger over any run: random agents, forks, losses, expiries and cancellations.

The model keeps, per connection, the very items that an upstream would have seen there.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from longwire.core.rules.continuity import AsGiven, Chain, Continue, Decision, Fresh
from longwire.core.rules.lease import (
    ConnectionId,
    Dial,
    LeaseOutcome,
    Lend,
    PoolLimits,
    State,
    Wait,
)
from longwire.core.rules.ledger import Ledger
from longwire.core.rules.turn import SessionKey, Turn
from tests.core.turns import answer, chain, key, turn, user

CAP, PER_SESSION, IDLE_TTL = 3, 2, 50.0
LIFETIMES = (15.0, 120.0)
KEYS = [key(), key(session="t"), key(scope="api_key:2"), key(session=""), None]
Items = tuple[dict[str, Any], ...]


class Conversation(NamedTuple):
    """What an agent would send next, and where."""

    at: SessionKey | None
    effort: str
    history: Items


def _edited(one: Conversation, at: int) -> Conversation:
    changed = list(one.history)
    changed[at % len(changed)] = user("edited")
    return one._replace(history=tuple(changed))


CHANGES: dict[str, Callable[[Conversation], Conversation]] = {
    "say more": lambda one: one._replace(history=(*one.history, user("more"))),
    "say something else": lambda one: one._replace(history=(*one.history[:-1], user("else"))),
    "edit the beginning": lambda one: _edited(one, 0),
    "edit the first answer": lambda one: _edited(one, 1),
    "cut all but the beginning": lambda one: one._replace(history=one.history[:1]),
    "cut all but the first answer": lambda one: one._replace(history=one.history[:3]),
    "cut the end": lambda one: one._replace(history=one.history[:-1] or one.history),
    "change the effort": lambda one: one._replace(effort="high" if one.effort == "low" else "low"),
    "go to another session": lambda one: one._replace(at=KEYS[1]),
    "go to another caller": lambda one: one._replace(at=KEYS[2]),
    "name no session": lambda one: one._replace(at=KEYS[3]),
    "share nothing": lambda one: one._replace(at=None),
}
"""What an agent does with a copy of its conversation."""


class Lease(NamedTuple):
    """A turn under way."""

    connection: ConnectionId
    conversation: Conversation
    sent: Turn
    decision: Decision


class Agents(RuleBasedStateMachine):
    """Agents that keep histories, replay, edit and fork them, over one ledger.

    Most turns go on from an answer: so connections that may be lent again, and must not be, are
    what a run is made of.
    """

    conversations = Bundle("conversations")
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.book = Ledger(PoolLimits(CAP, PER_SESSION, IDLE_TTL))
        self.now = 0.0
        self.turns = 0
        self.seen: dict[ConnectionId, Items] = {}
        self.effort: dict[ConnectionId, str] = {}
        self.owner: dict[ConnectionId, SessionKey | None] = {}
        self.expiry: dict[ConnectionId, float] = {}
        self.leased: set[ConnectionId] = set()
        self.retired: set[ConnectionId] = set()
        self.gone: set[ConnectionId] = set()

    @initialize(target=conversations)
    def begin_two(self) -> Any:
        return multiple(*(Conversation(at, "low", (user("hello"),)) for at in KEYS[:2]))

    @rule(target=conversations, at=st.sampled_from(KEYS))
    def begin(self, at: SessionKey | None) -> Conversation:
        return Conversation(at, "low", (user("hello"),))

    @rule(target=conversations, one=consumes(conversations))
    def go_on(self, one: Conversation) -> Conversation:
        """Take a whole turn."""
        lease = self._acquire(one)
        return self._release(lease, "completed") if lease else one

    @rule(target=conversations, one=conversations, change=st.sampled_from(list(CHANGES)))
    def fork(self, one: Conversation, change: str) -> Conversation:
        """Take a whole turn of a changed copy."""
        return self.go_on(CHANGES[change](one))

    @rule(target=leases, one=consumes(conversations))
    def request(self, one: Conversation) -> Any:
        return self._acquire(one) or multiple()

    @rule(target=conversations, one=consumes(conversations))
    def vanish(self, one: Conversation) -> Conversation:
        """Leave while a connection is dialed, where there is none to be lent."""
        lease = self._acquire(one, opens=False)
        return self._release(lease, "broken") if lease else one

    @rule(
        target=conversations,
        lease=consumes(leases),
        outcome=st.sampled_from(["completed", "failed", "broken"]),
    )
    def end(self, lease: Lease, outcome: str) -> Conversation:
        is_lost = lease.connection not in self.leased
        return lease.conversation if is_lost else self._release(lease, outcome)

    def _acquire(self, one: Conversation, opens: bool = True) -> Lease | None:
        sent = turn(*one.history, reasoning={"effort": one.effort})
        chosen = self.book.acquire(one.at, sent, self.now)
        self._closed(chosen.closes)
        match chosen:
            case Wait():
                assert self._is_exhausted(one.at)
                return None
            case Dial(connection, decision) if not opens:
                assert isinstance(decision, Fresh)
                self.book.cancel(connection)
                return None
            case Dial(connection, decision):
                assert connection not in self.seen
                self.owner[connection] = one.at
                self.expiry[connection] = self.now + LIFETIMES[connection % 2]
                self.book.opened(connection, self.expiry[connection])
            case Lend(connection, decision):
                self._may_be_lent(connection, one.at)
        self._has_exact_context(connection, decision, one)
        self.leased.add(connection)
        return Lease(connection, one, sent, decision)

    def _may_be_lent(self, connection: ConnectionId, at: SessionKey | None) -> None:
        assert at is not None
        assert at == self.owner[connection]
        assert connection not in self.leased
        assert connection not in self.gone
        assert self.now < self.expiry[connection]

    def _has_exact_context(
        self, connection: ConnectionId, decision: Decision, one: Conversation
    ) -> None:
        """Law 1: after the turn is sent, the upstream has seen exactly the client's items."""
        match decision:
            case Continue(_, start):
                assert (*self.seen[connection], *one.history[start:]) == one.history
                assert start < len(one.history)
                assert self.effort[connection] == one.effort
            case Fresh():
                pass
            case AsGiven():
                raise AssertionError

    def _is_exhausted(self, at: SessionKey | None) -> bool:
        held = [entry for entry in self.book.entries() if entry.key == at]
        is_full = at is not None and not at.is_implicit and len(held) >= PER_SESSION
        idle = [entry for entry in self.book.entries() if entry.state is State.IDLE]
        return (is_full and not any(e in idle for e in held)) or (
            self.book.live >= CAP and not idle
        )

    def _release(self, lease: Lease, outcome: str) -> Conversation:
        """End a turn; after its answer the agent goes on."""
        connection, one, sent, decision = lease
        self.leased.discard(connection)
        self.turns += 1
        reply = answer(f"r{self.turns}", self.turns)
        returned = self._returned(sent, decision, reply, outcome)
        closes = self.book.release(connection, returned, self.now)
        self._closed(closes)
        if outcome == "broken" or connection in self.retired:
            assert connection in closes
        if outcome != "completed":
            return one
        self.seen[connection], self.effort[connection] = (*one.history, reply), one.effort
        return one._replace(history=(*one.history, reply, user("and then?")))

    def _returned(self, sent: Turn, decision: Decision, reply: Any, outcome: str) -> LeaseOutcome:
        if outcome == "broken":
            return LeaseOutcome(keeps_connection=False)
        previous: Chain | None = decision.chain if isinstance(decision, Continue) else None
        held = chain(sent, reply, response_id=f"resp_{self.turns}", previous=previous)
        return LeaseOutcome(keeps_connection=True, chain=held if outcome == "completed" else None)

    @rule(seconds=st.sampled_from([1.0, 20.0, 60.0]), sweeps=st.booleans())
    def wait(self, seconds: float, sweeps: bool) -> None:
        self.now += seconds
        if sweeps:
            self._closed(self.book.sweep(self.now))

    @precondition(lambda self: self.book.live)
    @rule(which=st.integers(0, CAP - 1))
    def lose(self, which: int) -> None:
        entries = self.book.entries()
        lost = entries[which % len(entries)].id
        self.gone.add(lost)
        self.leased.discard(lost)
        self.book.closed(lost)

    @precondition(lambda self: self.book.live)
    @rule(which=st.integers(0, CAP))
    def retire(self, which: int) -> None:
        entries = self.book.entries()
        if which == CAP:
            self.retired.update(entry.id for entry in entries)
            self._closed(self.book.retire_all())
        else:
            one = entries[which % len(entries)].id
            self.retired.add(one)
            self._closed(self.book.retire_one(one) or ())

    def _closed(self, closes: tuple[ConnectionId, ...]) -> None:
        for connection in closes:
            assert connection not in self.leased
            self.gone.add(connection)

    @invariant()
    def live_stays_within_the_cap(self) -> None:
        assert self.book.live <= CAP

    @invariant()
    def every_live_connection_is_leased_or_idle(self) -> None:
        states = {entry.id: entry.state for entry in self.book.entries()}
        leased = {held for held, state in states.items() if state is State.LEASED}
        assert leased == self.leased
        assert not leased & self.gone
        assert State.DIALING not in states.values()

    @invariant()
    def sessions_stay_within_their_cap(self) -> None:
        for at in KEYS:
            if at is not None and not at.is_implicit:
                held = [entry for entry in self.book.entries() if entry.key == at]
                assert len(held) <= PER_SESSION


TestAgents = Agents.TestCase
TestAgents.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
