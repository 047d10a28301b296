"""Who holds which connection: the table of decisions, row by row."""

from dataclasses import replace
from typing import Any

import pytest

from longwire.core.rules.continuity import AsGiven, Chain, Continue, Fresh, Reason
from longwire.core.rules.lease import (
    Closes,
    ConnectionId,
    Dial,
    LeaseOutcome,
    Lend,
    PoolLimits,
    State,
    Wait,
)
from longwire.core.rules.ledger import Ledger
from longwire.core.rules.turn import Purpose, SessionKey, Turn
from tests.core.turns import answer, chain, key, turn, user

KEY = key()
IMPLICIT = key(session="")
TOOLS = {"tools": [{"type": "function", "name": "f"}]}


def ledger(**limits: Any) -> Ledger:
    return Ledger(PoolLimits(**limits))


def served(
    book: Ledger, at: SessionKey, sent: Turn, *, now: float = 0.0, remembers: Chain | None = None
) -> ConnectionId:
    """Let one turn pass; return the connection it used, idle again."""
    chosen = book.acquire(at, sent, now)
    assert not isinstance(chosen, Wait)
    if isinstance(chosen, Dial):
        book.opened(chosen.connection, now + 1000.0)
    held = remembers or chain(sent, answer("b"), response_id=f"resp_{chosen.connection}")
    book.release(chosen.connection, LeaseOutcome(keeps_connection=True, chain=held), now)
    return chosen.connection


def follow(book: Ledger, at: SessionKey, *history: dict[str, Any], **members: Any) -> Any:
    return book.acquire(at, turn(*history, **members), 1.0)


def test_a_new_session_dials() -> None:
    """Nothing is held yet."""
    assert Dial(ConnectionId(1), Fresh(Reason.NEW_SESSION)) == follow(ledger(), KEY, user("a"))


@pytest.mark.parametrize("at", [KEY, IMPLICIT], ids=["named", "implicit"])
def test_the_connection_that_holds_the_history_is_lent(at: SessionKey) -> None:
    """With a session id or without, an equal history finds its connection."""
    book = ledger()
    first = served(book, at, turn(user("a")))
    chosen = follow(book, at, user("a"), answer("b"), user("c"))
    assert (Lend, first, 2) == (type(chosen), chosen.connection, chosen.decision.start)


def test_of_several_the_longest_history_wins() -> None:
    """A fork that shares its opening does not hide the chain that goes further."""
    book = ledger()
    opening = (user("a"), answer("b"), user("c"))
    shorter = served(book, IMPLICIT, turn(user("a")))
    assert shorter == follow(book, IMPLICIT, *opening).connection
    longer = served(book, IMPLICIT, turn(*opening))
    book.cancel(shorter)
    chosen = follow(book, IMPLICIT, *opening, answer("b"), user("d"))
    assert (longer, 4) == (chosen.connection, chosen.decision.start)


@pytest.mark.parametrize(
    "other",
    [
        key(scope="api_key:2"),
        key(session="t"),
        key(endpoint="f"),
        SessionKey("e", KEY.scope, "s", "id"),
    ],
    ids=["scope", "session", "endpoint", "identity"],
)
def test_another_key_never_shares(other: SessionKey) -> None:
    """The very same history under another key meets a wall."""
    book = ledger()
    served(book, KEY, turn(user("a")))
    chosen = follow(book, other, user("a"), answer("b"), user("c"))
    assert isinstance(chosen, Dial)


def test_without_a_key_nothing_is_ever_shared() -> None:
    """An anonymous caller's connection is closed with its turn."""
    book = ledger()
    chosen = book.acquire(None, turn(user("a")), 0.0)
    assert isinstance(chosen, Dial)
    book.opened(chosen.connection, 1000.0)
    held = chain(turn(user("a")), answer("b"))
    assert (chosen.connection,) == book.release(chosen.connection, LeaseOutcome(True, held), 0.0)


def test_a_rewritten_history_stays_on_its_socket() -> None:
    """The prompt cache lives with the socket; without ids nothing can clash there."""
    book = ledger()
    first = served(book, KEY, turn(user("a")))
    chosen = follow(book, KEY, user("a, edited"))
    assert Lend(first, Fresh(Reason.HISTORY_REWRITTEN)) == chosen


def test_a_warm_up_takes_the_place_of_nothing() -> None:
    """A client that opens a session anew warms up, and then goes on where the session was."""
    book = ledger()
    first = served(book, KEY, turn(user("a")))
    opening = replace(turn(user("z")), purpose=Purpose.WARM_UP)
    chosen = book.acquire(KEY, opening, 1.0)
    assert (Dial, Fresh(Reason.NEW_BRANCH), ()) == (type(chosen), chosen.decision, chosen.closes)
    assert first == follow(book, KEY, user("a"), answer("b"), user("c")).connection


def test_a_rewritten_history_with_ids_goes_elsewhere_and_replaces() -> None:
    """Upstreams refuse ids they hold; the old connection goes once the new turn succeeded."""
    book = ledger()
    first = served(book, KEY, turn(user("a")))
    edited = turn(user("a, edited"), answer("b"), user("c"))
    chosen = book.acquire(KEY, edited, 1.0)
    assert Dial(ConnectionId(2), Fresh(Reason.HISTORY_REWRITTEN)) == chosen
    book.opened(chosen.connection, 1000.0)
    closes = book.release(chosen.connection, LeaseOutcome(True, chain(edited, answer("d"))), 2.0)
    assert (first,) == closes


def test_a_failed_rewrite_keeps_what_it_would_have_replaced() -> None:
    """The old chain is given up for a success only."""
    book = ledger()
    first = served(book, KEY, turn(user("a")))
    chosen = book.acquire(KEY, turn(user("x"), answer("b"), user("c")), 1.0)
    book.opened(chosen.connection, 1000.0)
    assert () == book.release(chosen.connection, LeaseOutcome(True, None, Reason.TURN_FAILED), 2.0)
    again = follow(book, KEY, user("a"), answer("b"), user("c"))
    assert first == again.connection


def test_a_replaced_connection_in_use_is_left_alone() -> None:
    """Whoever came back to the old chain meanwhile keeps it."""
    book = ledger()
    first = served(book, KEY, turn(user("a")))
    edited = turn(user("x"), answer("b"), user("c"))
    chosen = book.acquire(KEY, edited, 1.0)
    book.opened(chosen.connection, 1000.0)
    assert first == follow(book, KEY, user("a"), answer("b"), user("c")).connection
    assert () == book.release(chosen.connection, LeaseOutcome(True, chain(edited)), 2.0)


def test_changed_properties_begin_anew_where_the_history_is() -> None:
    """Same history, other effort: full, on the same socket."""
    book = ledger()
    first = served(book, KEY, turn(user("a")), remembers=chain(turn(user("a")), user("b")))
    chosen = follow(book, KEY, user("a"), user("b"), user("c"), reasoning={"effort": "high"})
    assert Lend(first, Fresh(Reason.PROPERTIES_CHANGED)) == chosen


def test_a_side_call_leaves_the_main_chain_alone() -> None:
    """A title generator has other properties and another history: another connection."""
    book = ledger()
    main = served(book, KEY, turn(user("a"), **TOOLS))
    side = follow(book, KEY, user("Give a title"))
    assert Dial(ConnectionId(2), Fresh(Reason.NEW_BRANCH)) == side
    chosen = follow(book, KEY, user("a"), answer("b"), user("c"), **TOOLS)
    assert (main, Continue) == (chosen.connection, type(chosen.decision))


def test_at_the_cap_a_side_call_takes_the_oldest_idle_connection() -> None:
    """Among the idle ones of its own session."""
    book = ledger(connections_per_session=2)
    oldest = served(book, KEY, turn(user("a"), **TOOLS), now=0.0)
    book.acquire(KEY, turn(user("x")), 0.5)
    chosen = follow(book, KEY, user("Give a title"), model="small")
    assert Lend(oldest, Fresh(Reason.NEW_BRANCH)) == chosen


def test_at_the_cap_with_ids_the_oldest_is_closed_for_a_new_one() -> None:
    """Room is made before dialing."""
    book = ledger(connections_per_session=1)
    oldest = served(book, KEY, turn(user("a"), **TOOLS))
    chosen = follow(book, KEY, user("x"), answer("b"), user("y"))
    assert Dial(ConnectionId(2), Fresh(Reason.NEW_BRANCH), (oldest,)) == chosen
    assert 1 == book.live


def test_a_busy_session_at_its_cap_waits() -> None:
    """Nobody is refused while waiting helps."""
    book = ledger(connections_per_session=1)
    book.acquire(KEY, turn(user("a")), 0.0)
    assert Wait() == follow(book, KEY, user("b"))


def test_the_session_cap_does_not_bind_the_implicit_session() -> None:
    """It holds any number of unrelated conversations."""
    book = ledger(connections_per_session=1)
    served(book, IMPLICIT, turn(user("a")))
    assert Dial(ConnectionId(2), Fresh(Reason.NEW_SESSION)) == follow(book, IMPLICIT, user("x"))


def test_the_implicit_session_never_takes_a_history_for_rewritten() -> None:
    """Two conversations with equal properties are two conversations."""
    book = ledger()
    served(book, IMPLICIT, turn(user("a")))
    assert Fresh(Reason.NEW_SESSION) == follow(book, IMPLICIT, user("a, edited")).decision


def test_at_the_global_cap_the_implicit_session_reuses_its_oldest() -> None:
    """The socket stays open and begins anew."""
    book = ledger(connections=2)
    oldest = served(book, IMPLICIT, turn(user("a")), now=0.0)
    served(book, IMPLICIT, turn(user("b")), now=0.5)
    assert Lend(oldest, Fresh(Reason.NEW_SESSION)) == follow(book, IMPLICIT, user("c"))


def test_at_the_global_cap_the_oldest_idle_connection_makes_room() -> None:
    """Before the dial, whoever it belonged to."""
    book = ledger(connections=2)
    oldest = served(book, key("t"), turn(user("a")), now=0.0)
    served(book, key("u"), turn(user("a")), now=0.5)
    chosen = follow(book, KEY, user("a"))
    assert (Dial, (oldest,), 2) == (type(chosen), chosen.closes, book.live)


def test_at_the_global_cap_with_all_busy_a_turn_waits() -> None:
    """The cap holds, whatever comes."""
    book = ledger(connections=1)
    book.acquire(key("t"), turn(user("a")), 0.0)
    assert Wait() == follow(book, KEY, user("a"))


def test_an_own_id_goes_to_who_holds_it() -> None:
    """As given, on that very connection."""
    book = ledger()
    first = served(book, KEY, turn(user("a")))
    served(book, KEY, turn(user("x"), **TOOLS), now=0.5)
    chosen = follow(book, KEY, user("c"), previous_response_id=f"resp_{first}")
    assert Lend(first, AsGiven()) == chosen


def test_an_own_id_waits_for_its_busy_holder() -> None:
    """The holder's next state may be what the caller means."""
    book = ledger()
    first = served(book, KEY, turn(user("a")))
    book.acquire(KEY, turn(user("a"), answer("b"), user("c")), 1.0)
    assert Wait() == follow(book, KEY, user("d"), previous_response_id=f"resp_{first}")


def test_an_unknown_id_leaves_every_chain_alone() -> None:
    """The upstream may know it; the gateway's chains are not spent on it."""
    book = ledger()
    served(book, KEY, turn(user("a")))
    chosen = follow(book, KEY, user("c"), previous_response_id="resp_elsewhere")
    assert Dial(ConnectionId(2), AsGiven()) == chosen


def test_another_scopes_id_is_unknown() -> None:
    """Guessing an id reaches nobody's connection."""
    book = ledger()
    first = served(book, key(scope="api_key:2"), turn(user("a")))
    chosen = follow(book, KEY, user("c"), previous_response_id=f"resp_{first}")
    assert isinstance(chosen, Dial)


def test_after_a_failed_turn_the_connection_begins_anew() -> None:
    """Kept, but it forgets: the upstream evicted what it held."""
    book = ledger()
    first = served(book, KEY, turn(user("a")))
    book.acquire(KEY, turn(user("a"), answer("b"), user("c")), 1.0)
    book.release(first, LeaseOutcome(True, None, Reason.TURN_FAILED), 2.0)
    chosen = follow(book, KEY, user("a"), user("c"))
    assert Lend(first, Fresh(Reason.TURN_FAILED)) == chosen


@pytest.mark.parametrize("cap", [8, 1], ids=["room", "full"])
def test_who_names_a_cut_answer_does_not_reach_it(cap: int) -> None:
    """Its connection serves what is sent in full, and nothing that names a response."""
    book = ledger(connections_per_session=cap)
    first = served(book, KEY, turn(user("a")))
    book.acquire(KEY, turn(user("a"), answer("b"), user("c")), 1.0)
    book.release(first, LeaseOutcome(True, None, Reason.ANSWER_CUT), 2.0)
    chosen = follow(book, KEY, user("d"), previous_response_id="resp_cut")
    assert Dial(ConnectionId(2), AsGiven(), (first,) if cap == 1 else ()) == chosen
    book.closed(chosen.connection)
    again = follow(book, KEY, user("a"), user("c"))
    assert cap == 1 or Lend(first, Fresh(Reason.ANSWER_CUT)) == again


@pytest.mark.parametrize("at", [KEY, IMPLICIT], ids=["named", "implicit"])
def test_a_lost_connection_is_named_as_the_reason(at: SessionKey) -> None:
    """The turn after it begins anew and says why."""
    book = ledger()
    book.closed(served(book, at, turn(user("a"))))
    chosen = follow(book, at, user("a"), answer("b"), user("c"))
    assert Dial(ConnectionId(2), Fresh(Reason.CONNECTION_LOST)) == chosen


def test_a_connection_lost_in_use_is_named_too() -> None:
    """The chain it held before that turn says whose loss it was."""
    book = ledger()
    first = served(book, IMPLICIT, turn(user("a")))
    again = (user("a"), answer("b"), user("c"))
    follow(book, IMPLICIT, *again)
    book.release(first, LeaseOutcome(keeps_connection=False), 2.0)
    assert Fresh(Reason.CONNECTION_LOST) == follow(book, IMPLICIT, *again).decision


@pytest.mark.parametrize("now", [1000.0, 3000.0], ids=["lifetime", "idle"])
def test_an_expired_connection_is_closed_not_lent(now: float) -> None:
    """Its age is checked when it would be lent, whatever the timers did."""
    book = ledger(idle_ttl=3000.0 if now == 1000.0 else 500.0)
    first = served(book, KEY, turn(user("a")))
    chosen = book.acquire(KEY, turn(user("a"), answer("b"), user("c")), now)
    assert Dial(ConnectionId(2), Fresh(Reason.CONNECTION_EXPIRED), (first,)) == chosen


def test_a_lease_that_outlived_its_time_ends_with_its_connection() -> None:
    """Between turns, never within one."""
    book = ledger()
    chosen = book.acquire(KEY, turn(user("a")), 0.0)
    book.opened(chosen.connection, 10.0)
    held = chain(turn(user("a")), answer("b"))
    assert (chosen.connection,) == book.release(chosen.connection, LeaseOutcome(True, held), 11.0)
    following = follow(book, KEY, user("a"), answer("b"), user("c"))
    assert Fresh(Reason.CONNECTION_EXPIRED) == following.decision


def test_the_sweep_closes_what_is_due() -> None:
    """Idle connections go at the earlier of lifetime and idle time."""
    book = ledger(idle_ttl=100.0)
    first = served(book, KEY, turn(user("a")), now=0.0)
    served(book, key("t"), turn(user("a")), now=50.0)
    assert ((), (first,), 1) == (book.sweep(99.9), book.sweep(100.0), book.live)


def test_retiring_closes_idle_connections_and_lets_leases_end() -> None:
    """A drain interrupts nobody."""
    book = ledger()
    idle = served(book, KEY, turn(user("a")))
    leased = book.acquire(key("t"), turn(user("a")), 0.0)
    book.opened(leased.connection, 1000.0)
    assert (idle,) == book.retire_all()
    held = chain(turn(user("a")), answer("b"))
    assert (leased.connection,) == book.release(leased.connection, LeaseOutcome(True, held), 1.0)


def test_a_cancelled_loan_leaves_no_trace() -> None:
    """What was lent and never used goes back as it was; a dial that failed is forgotten."""
    book = ledger()
    first = served(book, KEY, turn(user("a")))
    again = (user("a"), answer("b"), user("c"))
    book.cancel(follow(book, KEY, *again).connection)
    book.cancel(follow(book, key("t"), user("a")).connection)
    assert [(first, State.IDLE)] == [(entry.id, entry.state) for entry in book.entries()]
    assert Continue is type(follow(book, KEY, *again).decision)


def test_what_is_unknown_is_left_alone() -> None:
    """A connection that is gone may be reported, released and cancelled again."""
    book = ledger()
    gone: Closes = book.release(ConnectionId(9), LeaseOutcome(True), 0.0)
    book.cancel(ConnectionId(9))
    assert ((), False) == (gone, book.closed(ConnectionId(9)))


def test_its_state_reads_in_one_line() -> None:
    """The whole state, for logs and failing tests."""
    book = ledger()
    served(book, KEY, turn(user("a")))
    book.acquire(key("t"), turn(user("a")), 0.0)
    assert "<Ledger dialing=1 leased=0 idle=1 sessions=2 cap=128>" == repr(book)


def test_a_turn_in_full_says_what_changed() -> None:
    """Against what idle connections hold: a busy one, or one that is gone, tells nothing."""
    book = ledger()
    served(book, KEY, turn(user("a")))
    edited = follow(book, KEY, user("A"), answer("b"), user("c"))
    assert "input[0] of 3: user message" == str(edited.decision.change)
    book.acquire(KEY, turn(user("a"), answer("b"), user("c")), 1.0)
    beside = follow(book, KEY, user("x"))
    assert (Reason.NEW_BRANCH, None) == (beside.decision.reason, beside.decision.change)


def test_changed_properties_are_those_of_the_history_that_came_again() -> None:
    """Another connection of the session may differ in more, and does not count."""
    book = ledger()
    served(book, KEY, turn(user("a")))
    served(book, KEY, turn(user("z"), model="n", tools=[]))
    chosen = follow(book, KEY, user("a"), answer("b"), user("c"), instructions="x")
    assert "instructions added" == str(chosen.decision.change)
