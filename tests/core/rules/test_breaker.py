"""Laws of the breaker."""

from hypothesis import given
from hypothesis import strategies as st

from longwire.core.rules.breaker import Breaker

steps = st.lists(st.tuples(st.booleans(), st.floats(0, 10)), max_size=40)


def broken(failures, now=0.0):
    breaker = Breaker()
    for _ in range(failures):
        breaker.fail(now)
    return breaker


@given(steps)
def test_it_is_open_after_three_failures_in_a_row_alone(history):
    """A success in between begins the count anew, whenever it comes."""
    breaker, now, row = Breaker(), 0.0, 0
    for succeeds, pause in history:
        now += pause
        row = 0 if succeeds else row + 1
        if succeeds:
            breaker.succeed()
        else:
            breaker.fail(now)
        assert (row >= 3) == breaker.is_open


@given(st.integers(3, 2000))
def test_rests_double_up_to_a_bound(failures):
    """However long it is away, it is probed again within seconds."""
    assert min(5.0, 0.5 * 2.0 ** min(failures - 3, 9)) == broken(failures).rests(0.0)


def test_time_alone_does_not_close_it():
    """After its rest a probe is due, but nobody else asks before that one succeeded."""
    breaker = broken(3)
    assert 0.0 == breaker.rests(1e9)
    assert breaker.is_open


def test_only_the_success_that_closes_it_says_so():
    """Whoever logs that it is back logs it once."""
    breaker = broken(3)
    assert [True, False] == [breaker.succeed(), breaker.succeed()]
    assert not broken(2).succeed()
    assert 0.0 == breaker.rests(0.0)


def test_who_is_suspected_needs_one_failure():
    """What never answered yet is not asked three times."""
    breaker = Breaker()
    breaker.suspect()
    assert not breaker.is_open
    breaker.fail(0.0)
    assert breaker.is_open
    assert 0.5 == breaker.rests(0.0)


def test_suspicion_closes_nothing():
    """Who is open stays so."""
    breaker = broken(5)
    breaker.suspect()
    assert breaker.is_open
    assert "<Breaker failures=5 is_open=True>" == repr(breaker)
