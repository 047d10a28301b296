"""Threads that an upstream keeps: gone on with once, within their time, by their own session."""

from longwire.core.rules.continuity import Continue, Fresh, Reason
from longwire.core.rules.threads import LIFETIME, Threads
from tests.core.turns import answer, chain, key, turn, user

HELD = chain(turn(user("a")), answer("b"))
NEXT = turn(user("a"), answer("b"), user("c"))


def kept() -> Threads:
    threads = Threads()
    threads.keep(key(), HELD, 0.0)
    return threads


def test_a_thread_goes_on_once() -> None:
    """Whoever comes second with the same history begins another one."""
    threads = kept()
    assert Continue(HELD, 2) == threads.take(key(), NEXT, 1.0)
    assert Fresh(Reason.NEW_SESSION) == threads.take(key(), NEXT, 1.0)


def test_a_thread_is_its_sessions_own() -> None:
    """No other scope goes on with it, no other session, and no other start of a channel."""
    threads = kept()
    for other in (key(scope="api_key:2"), key(session="t"), key(endpoint="f")):
        assert Fresh(Reason.NEW_SESSION) == threads.take(other, NEXT, 1.0)


def test_a_thread_expires() -> None:
    """Behind its time nothing is asked of the upstream that it has forgotten."""
    assert Fresh(Reason.NEW_SESSION) == kept().take(key(), NEXT, LIFETIME)


def test_why_a_turn_begins_anew() -> None:
    """Other properties, or another history beside those that are held."""
    assert Fresh(Reason.PROPERTIES_CHANGED) == kept().take(
        key(), turn(user("a"), answer("b"), user("c"), model="n"), 1.0
    )
    assert Fresh(Reason.NEW_BRANCH) == kept().take(key(), turn(user("x")), 1.0)


def test_the_longest_thread_goes_on() -> None:
    """Of two that a turn continues it is the one that holds more."""
    threads = kept()
    longer = chain(NEXT, answer("d", 2), response_id="resp_2")
    threads.keep(key(), longer, 0.0)
    following = turn(user("a"), answer("b"), user("c"), answer("d", 2), user("e"))
    assert Continue(longer, 4) == threads.take(key(), following, 1.0)


def test_a_session_that_cannot_be_in_threads_is_left_alone() -> None:
    """What was held for it is forgotten."""
    threads = kept()
    threads.leave(key())
    assert threads.is_left(key())
    assert not threads.is_left(key(session="t"))
    assert Fresh(Reason.NEW_SESSION) == threads.take(key(), NEXT, 1.0)


def test_little_is_remembered() -> None:
    """Of a session the latest threads, of all sessions the latest ones."""
    threads = Threads()
    for number in range(20):
        sent = turn(user(f"q{number}"))
        threads.keep(key(), chain(sent, answer("b"), response_id=f"resp_{number}"), 0.0)
    oldest, newest = (turn(user(f"q{each}"), answer("b"), user("c")) for each in (0, 19))
    assert isinstance(threads.take(key(), oldest, 1.0), Fresh)
    assert isinstance(threads.take(key(), newest, 1.0), Continue)
    for number in range(5000):
        threads.keep(key(session=str(number)), HELD, 0.0)
        threads.leave(key(session=f"left {number}"))
    assert isinstance(threads.take(key(session="0"), NEXT, 1.0), Fresh)
    assert isinstance(threads.take(key(session="4999"), NEXT, 1.0), Continue)
    assert not threads.is_left(key(session="left 0"))
