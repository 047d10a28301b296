"""Trust in an endpoint: cool down, probe, recover."""

from longwire.core.rules.health import Cooling, Health


def health(failures: int = 1) -> Health:
    return Health(Cooling(failures=failures, base=10.0, longest=40.0))


def test_it_is_trusted_until_it_fails() -> None:
    """A new endpoint has every credit."""
    assert health().is_trusted(0.0)


def test_a_failure_cools_it_down() -> None:
    """For the base time."""
    own = health()
    own.fail(100.0)
    assert [False, True] == [own.is_trusted(109.9), own.is_trusted(110.0)]


def test_failures_below_the_threshold_do_not_count() -> None:
    """One odd answer is no outage."""
    own = health(failures=3)
    own.fail(0.0)
    own.fail(0.0)
    assert own.is_trusted(0.0)
    own.fail(0.0)
    assert not own.is_trusted(0.0)


def test_a_success_forgets_all_failures() -> None:
    """Only failures in a row count."""
    own = health(failures=2)
    own.fail(0.0)
    own.succeed()
    own.fail(0.0)
    assert own.is_trusted(0.0)


def test_after_the_cool_down_one_probe_at_a_time() -> None:
    """Everybody else goes elsewhere until the probe is back."""
    own = health()
    own.fail(0.0)
    own.begin(10.0)
    assert not own.is_trusted(10.0)
    own.succeed()
    assert own.is_trusted(10.0)


def test_a_probe_that_never_comes_back_is_given_up() -> None:
    """After another cool-down somebody else may try."""
    own = health()
    own.fail(0.0)
    own.begin(10.0)
    assert [False, True] == [own.is_trusted(19.9), own.is_trusted(20.0)]


def test_each_failed_probe_doubles_the_wait_up_to_the_longest() -> None:
    """10, 20, 40, 40 seconds."""
    own, now, waits = health(), 0.0, []
    for _ in range(4):
        own.begin(now)
        own.fail(now)
        waits.append(next(wait for wait in (10.0, 20.0, 40.0) if own.is_trusted(now + wait)))
        now += waits[-1]
    assert [10.0, 20.0, 40.0, 40.0] == waits


def test_what_the_upstream_asks_for_is_kept() -> None:
    """`retry-after` counts from the first failure on, within reason."""
    own = health(failures=3)
    own.fail(0.0, retry_after=25.0)
    assert [False, True] == [own.is_trusted(24.9), own.is_trusted(25.0)]
    own.fail(0.0, retry_after=1e9)
    assert own.is_trusted(40.0)


def test_what_failed_elsewhere_is_not_trusted_until_a_probe_is_due() -> None:
    """However long it is left alone there; the probe is one here, too."""
    own = health(failures=3)
    own.take_over(0.0, 40.0, "failing")
    assert [False, True] == [own.is_trusted(9.9), own.is_trusted(10.0)]
    assert ("failing", False) == (own.problem, own.is_sound)
    own.begin(10.0)
    assert not own.is_trusted(10.0)
    own.succeed()
    assert own.is_trusted(10.0)
    assert own.is_sound


def test_a_probe_that_fails_after_what_was_heard_waits_longer() -> None:
    """It need not fail three times here."""
    own = health(failures=3)
    own.take_over(0.0, 5.0, "failing")
    own.begin(5.0)
    assert 20.0 == own.fail(5.0)
    assert [False, True] == [own.is_trusted(24.9), own.is_trusted(25.0)]


def test_what_is_heard_shortens_no_cool_down_of_ones_own() -> None:
    """Nor does it hide why it failed here."""
    own = health()
    own.fail(0.0, retry_after=30.0, problem="limited")
    own.take_over(0.0, 5.0, "failing")
    assert ("limited", False) == (own.problem, own.is_trusted(29.9))


def test_a_failure_says_for_how_long_it_counts() -> None:
    """0 is one that cools nothing down."""
    own = health(failures=2)
    assert [0.0, 10.0, 20.0] == [own.fail(0.0) for _ in range(3)]
