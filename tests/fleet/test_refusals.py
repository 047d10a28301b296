"""What is logged of a Valkey that refuses, is away, and comes back."""

import pytest
from redis.exceptions import ResponseError
from structlog.testing import capture_logs

from longwire.fleet.refusals import Complaints, refuses_all


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_second_outage_within_a_minute_is_logged_once_it_lasts(clock):
    """The last word of the log is never that Valkey is back while it is away."""
    complaints = Complaints(clock)
    with capture_logs() as logged:
        complaints.away(TimeoutError())
        clock.now = 1.0
        complaints.back()
        for clock.now in (30.0, 45.0):
            complaints.away(TimeoutError())
        assert ["valkey_away", "valkey_back"] == [each["event"] for each in logged]
        for clock.now in (61.0, 62.0, 10_000.0):
            complaints.away(TimeoutError())
        complaints.back()
    events = ["valkey_away", "valkey_back", "valkey_away", "valkey_back"]
    assert events == [each["event"] for each in logged]


def test_a_short_outage_that_was_not_logged_does_not_end_in_the_log(clock):
    """One that flickers writes two lines a minute at the most."""
    complaints = Complaints(clock)
    with capture_logs() as logged:
        for clock.now in range(60):
            complaints.away(TimeoutError())
            complaints.back()
    assert ["valkey_away", "valkey_back"] == [each["event"] for each in logged]


def test_another_reason_is_logged_at_once(clock):
    """With its own mend."""
    complaints = Complaints(clock)
    with capture_logs() as logged:
        for reason in ("LOADING it reads", "OOM no memory", "OOM no memory"):
            complaints.away(ResponseError(reason))
    assert ["LOADING", "OOM"] == [each["code"] for each in logged]


@pytest.mark.parametrize("code", ["NOPERM", "TRYAGAIN"])
def test_what_is_refused_to_one_command_says_nothing_of_others(code):
    """A cluster that moves one slot serves all other keys."""
    assert not refuses_all(ResponseError(f"{code} of one command"))
    assert refuses_all(ResponseError("READONLY of all"))
