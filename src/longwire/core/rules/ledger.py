"""Who holds which connection: every call returns a decision plus the connections to close.

Laws: one lease at a time; live = dialing + leased + idle <= cap; no connection is ever lent
outside its key, after its time, or half read. Time is an argument, seconds on one clock.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from longwire.core.rules.continuity import (
    AsGiven,
    Chain,
    Continue,
    Decision,
    Fresh,
    Reason,
    decide,
    has_same_properties,
)
from longwire.core.rules.difference import explained
from longwire.core.rules.lease import (
    Closes,
    ConnectionId,
    Dial,
    Entry,
    LeaseOutcome,
    Lend,
    PoolLimits,
    State,
    Wait,
)
from longwire.core.rules.turn import Purpose, SessionKey, Turn

_REMEMBERED_SESSIONS = 4096
_REMEMBERED_DEPARTURES = 4
_REMEMBERED_ENDPOINTS = 4096


@dataclass(slots=True)
class Ledger:
    """The state of one pool; `departures` counts ended connections by endpoint and cause."""

    limits: PoolLimits
    _entries: dict[ConnectionId, Entry] = field(default_factory=dict)
    _sessions: dict[SessionKey, dict[ConnectionId, Entry]] = field(default_factory=dict)
    _departed: OrderedDict[SessionKey, deque[tuple[Chain | None, Reason]]] = field(
        default_factory=OrderedDict
    )
    departures: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    _retired: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _now: float = 0.0
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def __repr__(self) -> str:
        counts = {state.value: 0 for state in State}
        for entry in self._entries.values():
            counts[entry.state.value] += 1
        states = " ".join(f"{name}={number}" for name, number in counts.items())
        return f"<Ledger {states} sessions={len(self._sessions)} cap={self.limits.connections}>"

    @property
    def live(self) -> int:
        """Count all connections that are open or being opened."""
        return len(self._entries)

    def entries(self) -> tuple[Entry, ...]:
        """Return every live connection; read only."""
        return tuple(self._entries.values())

    def acquire(
        self, key: SessionKey | None, turn: Turn, now: float, anew: Reason | None = None
    ) -> Lend | Dial | Wait:
        """Decide where `turn` goes; `key` None never shares a connection with anybody.

        With a reason to begin `anew` it goes in full to a new connection. A turn that refers to
        what its input does not bring is never compared with a chain: it goes `AsGiven`.
        """
        self._now = now
        own = AsGiven() if turn.refers_outside else Fresh(anew or Reason.NEW_SESSION)
        if key is None:
            return self._dial(None, own, ())
        expired = self._expire(self._sessions.get(key, {}).values(), now)
        chosen: Lend | Dial | Wait
        if anew is not None:
            chosen = self._on_new(key, own)
        elif turn.refers_outside:
            chosen = self._as_given(key, turn)
        else:
            chosen = self._by_history(key, turn)
        return replace(chosen, closes=(*expired, *chosen.closes)) if expired else chosen

    def holds(self, key: SessionKey, turn: Turn) -> bool:
        """Whether a connection of the key is where `turn` belongs: by id, session or history."""
        if turn.previous_response_id is not None:
            return self._holder(key, turn.previous_response_id) is not None
        if not key.is_implicit and key in self._sessions:
            return True
        return self._best_match(key, turn) is not None

    def continues(self, key: SessionKey, turn: Turn) -> bool:
        """Whether an idle connection could continue `turn` right now."""
        best = self._best_match(key, turn)
        return best is not None and isinstance(best[1], Continue)

    def _by_history(self, key: SessionKey, turn: Turn) -> Lend | Dial | Wait:
        best = self._best_match(key, turn)
        if best is not None:
            entry, decision = best
            if isinstance(decision, Continue):
                return self._lend(entry, decision)
            return self._anew(entry, self._fresh(decision.reason, [entry], turn), turn)
        idle = sorted(self._idle(key), key=lambda entry: -entry.idle_since)
        blank = self._blank(key)
        if blank is not None:
            return self._anew(blank, self._fresh(self._reason(key, turn, blank), idle, turn), turn)
        # A warm-up is an opening, and who names the response before goes on: neither rewrites what
        # a connection holds, which may be that of another lane.
        is_warm_up = turn.purpose is Purpose.WARM_UP
        rewrites = not (key.is_implicit or is_warm_up or turn.source.previous_response_id)
        rewritten = self._same_properties(key, turn) if rewrites else None
        if rewritten is not None:
            return self._anew(rewritten, self._fresh(Reason.HISTORY_REWRITTEN, idle, turn), turn)
        return self._elsewhere(key, self._fresh(self._reason(key, turn, None), idle, turn), turn)

    def _fresh(self, reason: Reason, entries: Iterable[Entry], turn: Turn) -> Fresh:
        """Begin anew, and say what changed against the nearest history that these hold."""
        chains = [entry.chain for entry in entries if entry.chain is not None]
        return explained(reason, chains, turn, may_omit_reasoning=self.limits.may_omit_reasoning)

    def _as_given(self, key: SessionKey, turn: Turn) -> Lend | Dial | Wait:
        holder = self._holder(key, turn.previous_response_id)
        if holder is not None:
            return self._lend(holder, AsGiven()) if holder.state is State.IDLE else Wait()
        blank = self._blank(key)
        if blank is not None and not blank.holds_cut_answer:
            return self._lend(blank, AsGiven())
        return self._elsewhere(key, AsGiven(), turn)

    def _blank(self, key: SessionKey) -> Entry | None:
        """Return an idle connection that holds nothing."""
        return next((entry for entry in self._idle(key) if entry.chain is None), None)

    def _holder(self, key: SessionKey, response_id: str | None) -> Entry | None:
        held = self._sessions.get(key, {}).values()
        return next(
            (e for e in held if e.chain is not None and e.chain.response_id == response_id), None
        )

    def _best_match(self, key: SessionKey, turn: Turn) -> tuple[Entry, Continue | Fresh] | None:
        """Return the idle connection with the longest common history; continuing wins."""
        best: tuple[Entry, Continue | Fresh] | None = None
        best_rank, may_omit = (False, -1), self.limits.may_omit_reasoning
        idle = self._idle(key)
        for entry in sorted(idle, key=_prefix_size) if len(idle) > 1 else idle:
            chain = entry.chain
            decision = decide(chain, turn, may_omit_reasoning=may_omit) if chain else None
            if decision is None or chain is None:
                continue
            rank = (isinstance(decision, Continue), chain.length)
            if rank > best_rank:
                best, best_rank = (entry, decision), rank
        return best

    def _same_properties(self, key: SessionKey, turn: Turn) -> Entry | None:
        alike = [e for e in self._idle(key) if e.chain and has_same_properties(e.chain, turn)]
        return max(alike, key=lambda entry: entry.idle_since, default=None)

    def _reason(self, key: SessionKey, turn: Turn, blank: Entry | None) -> Reason:
        """Say why no connection continues this turn: what departed may have held its history."""
        departed = self._departed.get(key, ())
        may_omit = self.limits.may_omit_reasoning
        for chain, cause in reversed(departed):
            decision = decide(chain, turn, may_omit_reasoning=may_omit) if chain else None
            if isinstance(decision, Continue):
                return cause
        if key.is_implicit:
            return Reason.NEW_SESSION
        if blank is not None:
            return blank.forgot
        if self._sessions.get(key):
            return Reason.NEW_BRANCH
        return departed[-1][1] if departed else Reason.NEW_SESSION

    def _anew(self, entry: Entry, decision: Fresh, turn: Turn) -> Lend | Dial | Wait:
        """Begin anew in place of what `entry` holds.

        On the same socket, where the prompt cache lives, unless the turn repeats item ids that
        the socket may hold already: then on a new one, and the old one goes once that succeeded.
        """
        if entry.exchanges == 0 or not turn.history.has_ids:
            return self._lend(entry, decision)
        key = entry.key
        if key is None or self.live >= self.limits.connections or self._is_full(key):
            self._remove(entry)
            return self._dial(key, decision, (entry.id,))
        dial = self._dial(key, decision, ())
        if isinstance(dial, Dial):
            self._entries[dial.connection].replaces = (entry.id, entry.exchanges)
        return dial

    def _elsewhere(self, key: SessionKey, decision: Decision, turn: Turn) -> Lend | Dial | Wait:
        """Leave every chain of the session alone while there is room; else reuse the oldest."""
        is_full = self._is_full(key)
        is_crowded = key.is_implicit and self.live >= self.limits.connections
        own = _oldest(self._idle(key)) if is_full or is_crowded else None
        if own is None:
            return Wait() if is_full else self._dial(key, decision, ())
        if isinstance(decision, Fresh):
            return self._anew(own, decision, turn)
        if own.holds_cut_answer:
            self._remove(own)
            return self._dial(key, decision, (own.id,))
        return self._lend(own, decision)

    def _on_new(self, key: SessionKey, decision: Decision) -> Dial | Wait:
        if not self._is_full(key):
            return self._dial(key, decision, ())
        oldest = _oldest(self._idle(key))
        if oldest is None:
            return Wait()
        self._depart(oldest, oldest.chain, Reason.CONNECTION_EVICTED)
        return self._dial(key, decision, (oldest.id,))

    def _is_full(self, key: SessionKey) -> bool:
        """Whether a named session is at its cap; the implicit one holds unrelated conversations."""
        held = len(self._sessions.get(key, ()))
        return not key.is_implicit and held >= self.limits.connections_per_session

    def _idle(self, key: SessionKey) -> list[Entry]:
        held = self._sessions.get(key, {}).values()
        return [entry for entry in held if entry.state is State.IDLE]

    def _lend(self, entry: Entry, decision: Decision) -> Lend:
        entry.state, entry.decision = State.LEASED, decision
        entry.exchanges += 1
        entry.continued += isinstance(decision, Continue)
        return Lend(entry.id, decision)

    def _dial(self, key: SessionKey | None, decision: Decision, closes: Closes) -> Dial | Wait:
        if self.live >= self.limits.connections:
            oldest = _oldest(e for e in self._entries.values() if e.state is State.IDLE)
            if oldest is None:
                return Wait(closes)
            self._depart(oldest, oldest.chain, Reason.CONNECTION_EVICTED)
            closes = (*closes, oldest.id)
        entry = Entry(ConnectionId(next(self._ids)), key, self._now, decision=decision)
        self._entries[entry.id] = entry
        if key is not None:
            entry.retires = key.endpoint in self._retired
            self._sessions.setdefault(key, {})[entry.id] = entry
        return Dial(entry.id, decision, closes)

    def opened(self, connection: ConnectionId, expires_at: float) -> Entry:
        """Record that a dial succeeded: the connection is leased to its dialer."""
        entry = self._entries[connection]
        entry.state, entry.expires_at, entry.exchanges = State.LEASED, expires_at, 1
        return entry

    def cancel(self, connection: ConnectionId) -> Closes:
        """Undo an `acquire` that came to nothing: no dial, or nothing was sent.

        A connection that was dialed for it alone, or is to retire, is closed.
        """
        entry = self._entries.get(connection)
        if entry is None:
            return ()
        if entry.state is State.DIALING:
            self._remove(entry)
            return ()
        entry.exchanges -= 1
        if entry.retires:
            self._depart(entry, entry.chain, Reason.CONNECTION_EVICTED)
            return (entry.id,)
        if entry.exchanges == 0:
            self._remove(entry)
            return (entry.id,)
        entry.state = State.IDLE
        return ()

    def closed(self, connection: ConnectionId, cause: Reason = Reason.CONNECTION_LOST) -> bool:
        """Record that a connection is no more, whatever it was doing; False if long known."""
        entry = self._entries.get(connection)
        if entry is None:
            return False
        self._depart(entry, entry.chain, cause)
        return True

    def release(self, connection: ConnectionId, outcome: LeaseOutcome, now: float) -> Closes:
        """End a lease. What may not be lent again is closed, and so is what it replaced."""
        entry = self._entries.get(connection)
        if entry is None:
            return ()
        replaced = self._close_replaced(entry) if outcome.chain is not None else ()
        entry.replaces = None
        entry.bytes_saved += outcome.bytes_saved
        lives_on = outcome.keeps_connection and entry.key is not None and not entry.retires
        if not lives_on or now >= entry.expires_at:
            cause = outcome.cause
            if outcome.keeps_connection:
                cause = Reason.CONNECTION_EVICTED if entry.retires else Reason.CONNECTION_EXPIRED
            self._depart(entry, outcome.chain or entry.chain, cause)
            return (*replaced, entry.id)
        entry.state, entry.idle_since = State.IDLE, now
        entry.chain, entry.forgot = outcome.chain, outcome.cause
        return replaced

    def _close_replaced(self, entry: Entry) -> Closes:
        if entry.replaces is None:
            return ()
        identity, exchanges = entry.replaces
        old = self._entries.get(identity)
        if old is None or old.state is not State.IDLE or old.exchanges != exchanges:
            return ()
        self._remove(old)
        return (identity,)

    def sweep(self, now: float) -> Closes:
        """Return the idle connections whose time is up."""
        return self._expire(self._entries.values(), now)

    def retire(self, endpoint: str) -> Closes:
        """Let an endpoint's connections end: idle ones now, leased ones with their lease.

        Who still holds an older configuration may dial it once more, for one lease.
        """
        self._retired[endpoint] = None
        if len(self._retired) > _REMEMBERED_ENDPOINTS:
            self._retired.popitem(last=False)
        return self._retire(
            e for e in self._entries.values() if e.key and e.key.endpoint == endpoint
        )

    def retire_all(self) -> Closes:
        """Let every connection end: idle ones now, leased ones with their lease."""
        return self._retire(self._entries.values())

    def retire_session(self, key: SessionKey) -> Closes:
        """Let a session's connections end: idle ones now, leased ones with their lease."""
        return self._retire(self._sessions.get(key, {}).values())

    def retire_one(self, connection: ConnectionId) -> Closes | None:
        """Let one connection end, with its lease if it has one; None where there is none such."""
        entry = self._entries.get(connection)
        return None if entry is None else self._retire([entry])

    def _retire(self, entries: Iterable[Entry]) -> Closes:
        concerned = tuple(entries)
        for entry in concerned:
            entry.retires = True
        idle = [entry for entry in concerned if entry.state is State.IDLE]
        for entry in idle:
            self._depart(entry, entry.chain, Reason.CONNECTION_EVICTED)
        return tuple(entry.id for entry in idle)

    def _expire(self, entries: Iterable[Entry], now: float) -> Closes:
        due = [e for e in entries if e.state is State.IDLE and now >= self.expiry(e)]
        for entry in due:
            self._depart(entry, entry.chain, Reason.CONNECTION_EXPIRED)
        return tuple([entry.id for entry in due]) if due else ()

    def expiry(self, entry: Entry) -> float:
        """Return when an idle connection is to be closed."""
        return min(entry.expires_at, entry.idle_since + self.limits.idle_ttl)

    def _depart(self, entry: Entry, chain: Chain | None, cause: Reason) -> None:
        """Remove a connection and remember, for a while, what went with it and why."""
        self._remove(entry)
        if entry.key is None:
            return
        self.departures[entry.key.endpoint, cause] += 1
        departed = self._departed.setdefault(entry.key, deque(maxlen=_REMEMBERED_DEPARTURES))
        departed.append((chain, cause))
        self._departed.move_to_end(entry.key)
        if len(self._departed) > _REMEMBERED_SESSIONS:
            self._departed.popitem(last=False)

    def _remove(self, entry: Entry) -> None:
        del self._entries[entry.id]
        if entry.key is None:
            return
        held = self._sessions[entry.key]
        del held[entry.id]
        if not held:
            del self._sessions[entry.key]


def _prefix_size(entry: Entry) -> int:
    """Order by the length of the known prefix: then one pass of hashing serves all of them."""
    return entry.chain.mark.size if entry.chain and entry.chain.mark else 0


def _oldest(entries: Iterable[Entry]) -> Entry | None:
    """Return the least recently used of idle connections."""
    return min(entries, key=lambda entry: entry.idle_since, default=None)
