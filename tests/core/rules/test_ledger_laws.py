"""The laws of the ledger over any run: random agents, forks, losses, expiries and cancellations.

The model keeps, per connection, the very items that an upstream would have seen there.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from longwire.core.rules.continuity import AsGiven, Chain, Continue, Fresh
from longwire.core.rules.lease import ConnectionId, Dial, LeaseOutcome, Lend, Limits, State, Wait
from longwire.core.rules.ledger import Ledger
from longwire.core.rules.turn import SessionKey, Turn
from tests.core.turns import answer, chain, key, turn, user

CAP, PER_SESSION, IDLE_TTL, LIFETIME = 5, 2, 50.0, 120.0
KEYS = [key(), key(session="t"), key(scope="api_key:2"), key(session=""), None]
Items = tuple[dict[str, Any], ...]


class Agents(RuleBasedStateMachine):
    """Agents that keep histories, replay, edit and fork them, over one ledger."""

    histories = Bundle("histories")
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.book = Ledger(Limits(CAP, PER_SESSION, IDLE_TTL))
        self.now = 0.0
        self.turns = 0
        self.seen: dict[ConnectionId, Items] = {}
        self.owner: dict[ConnectionId, SessionKey | None] = {}
        self.expiry: dict[ConnectionId, float] = {}
        self.leased: set[ConnectionId] = set()
        self.gone: set[ConnectionId] = set()

    @rule(target=histories)
    def begin(self) -> Items:
        return (user("hello"),)

    @rule(target=histories, history=histories, text=st.sampled_from(["x", "y"]))
    def say(self, history: Items, text: str) -> Items:
        return (*history, user(text))

    @rule(target=histories, history=histories, at=st.integers(0, 5))
    def edit(self, history: Items, at: int) -> Items:
        changed = list(history)
        changed[at % len(history)] = user("edited")
        return tuple(changed)

    @rule(target=histories, history=histories, cut=st.integers(1, 4))
    def cut(self, history: Items, cut: int) -> Items:
        return history[:cut]

    @rule(
        target=leases,
        history=histories,
        at=st.sampled_from(KEYS),
        effort=st.sampled_from(["low", "high"]),
        opens=st.booleans(),
    )
    def request(self, history: Items, at: SessionKey | None, effort: str, opens: bool) -> Any:
        sent = turn(*history, reasoning={"effort": effort})
        chosen = self.book.acquire(at, sent, self.now)
        self._closed(chosen.closes)
        match chosen:
            case Wait():
                assert self._is_exhausted(at)
                return multiple()
            case Dial(connection, decision) if not opens:
                assert isinstance(decision, Fresh)
                self.book.cancel(connection)
                return multiple()
            case Dial(connection, decision):
                assert connection not in self.seen
                self.owner[connection] = at
                self.expiry[connection] = self.now + LIFETIME
                self.book.opened(connection, self.expiry[connection])
            case Lend(connection, decision):
                self._may_be_lent(connection, at)
        self._has_exact_context(connection, decision, history)
        self.leased.add(connection)
        return connection, sent, history, decision

    def _may_be_lent(self, connection: ConnectionId, at: SessionKey | None) -> None:
        assert at is not None
        assert at == self.owner[connection]
        assert connection not in self.leased
        assert connection not in self.gone
        assert self.now < self.expiry[connection]

    def _has_exact_context(self, connection: ConnectionId, decision: Any, history: Items) -> None:
        """Law 1: after the turn is sent, the upstream has seen exactly the client's items."""
        match decision:
            case Continue(_, start):
                assert (*self.seen[connection], *history[start:]) == history
                assert start < len(history)
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

    @rule(
        target=histories,
        lease=leases,
        outcome=st.sampled_from(["completed", "failed", "broken"]),
    )
    def end(self, lease: Any, outcome: str) -> Any:
        connection, sent, history, decision = lease
        if connection not in self.leased:
            return multiple()
        self.leased.discard(connection)
        self.turns += 1
        reply = answer(f"r{self.turns}", self.turns)
        outcome = self._returned(sent, decision, reply, outcome)
        self._closed(self.book.release(connection, outcome, self.now))
        if outcome == "broken":
            self.gone.add(connection)
        if outcome != "completed":
            return multiple()
        self.seen[connection] = (*history, reply)
        return (*history, reply)

    def _returned(self, sent: Turn, decision: Any, reply: Any, outcome: str) -> LeaseOutcome:
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

    @rule(which=st.integers(0, CAP - 1))
    def lose(self, which: int) -> None:
        entries = self.book.entries()
        if which < len(entries):
            self.gone.add(entries[which].id)
            self.leased.discard(entries[which].id)
            self.book.closed(entries[which].id)

    @rule(which=st.integers(0, CAP - 1))
    def retire_one(self, which: int) -> None:
        entries = self.book.entries()
        if which < len(entries):
            self._closed(self.book.retire_one(entries[which].id) or ())

    @rule()
    def retire_all(self) -> None:
        self._closed(self.book.retire_all())

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
TestAgents.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
