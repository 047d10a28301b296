"""Days, weeks and months in zones, with their clock changes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import InvalidFields
from longwire.core.nouns.budget import Period
from longwire.core.rules.calendar import UTC_CALENDAR, Calendar, check_zone, zone_of

BERLIN = Calendar("Europe/Berlin", tuple(Period))
ZONES = st.sampled_from(
    [
        *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"),
        *("Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Atlantic/Azores"),
        *("Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns", "Asia/Beirut"),
    ]
)
TIMES = st.integers(int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()), 2_500_000_000)
_WEEK = 7 * 86_400


def at(zone, *parts):
    return datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp()


@given(ZONES, st.sampled_from(Period), TIMES)
def test_each_instant_is_in_one_period_and_none_is_lost(zone, period, now):
    """A period holds its instants, and the next begins where it ends."""
    calendar = Calendar(zone, (period,))
    span = calendar.span(period, now)
    assert span.begins <= now < span.ends
    assert span == calendar.span(period, span.begins)
    assert span == calendar.span(period, span.ends - 1)
    assert span.ends == calendar.span(period, span.ends).begins
    assert calendar.names(now) == calendar.names(span.begins) != calendar.names(span.ends)


@given(ZONES, TIMES)
def test_a_period_begins_at_the_first_instant_of_its_first_day(zone, now):
    """Weeks on a Monday, months on a first; the second before is another day."""
    for period in Period:
        begins = Calendar(zone).span(period, now).begins
        first, before = (
            datetime.fromtimestamp(each, zone_of(zone)) for each in (begins, begins - 1)
        )
        assert first.date() > before.date()
        assert period is not Period.WEEK or first.weekday() == 0
        assert period is not Period.MONTH or first.day == 1


@given(ZONES, TIMES)
def test_a_day_lasts_about_as_long_as_its_clocks_say(zone, now):
    """23 to 25 hours, and a week no more than an hour off seven days."""
    day, week = (Calendar(zone).span(each, now) for each in (Period.DAY, Period.WEEK))
    assert 23 * 3_600 <= day.ends - day.begins <= 25 * 3_600
    assert abs(week.ends - week.begins - _WEEK) <= 3_600


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 10, 26), 24)]
)
def test_days_of_clock_changes_have_23_or_25_hours(day, hours):
    """In Berlin, whenever on the day it is asked."""
    for hour in (0, 2, 12, 23):
        span = BERLIN.span(Period.DAY, at("Europe/Berlin", *day, hour))
        assert hours * 3_600 == span.ends - span.begins
        assert at("Europe/Berlin", *day) == span.begins


def test_where_midnight_is_skipped_the_day_begins_with_the_change():
    """Cairo's clocks go from 00:00 to 01:00 on the last Friday of April."""
    span = Calendar("Africa/Cairo").span(Period.DAY, at("Africa/Cairo", 2026, 4, 24, 12))
    assert at("Africa/Cairo", 2026, 4, 24, 1) == span.begins
    assert 23 * 3_600 == span.ends - span.begins


def test_periods_have_names_that_counters_are_kept_by():
    """Those of UTC are the names that counters always had."""
    new_year = at("Europe/Berlin", 2027, 1, 1, 0, 30)
    assert ("d20270101", "w20261228", "m202701") == BERLIN.names(new_year)
    assert ("d20261231", "m202612") == UTC_CALENDAR.names(new_year)


def test_a_time_is_told_with_its_zone():
    """Nobody needs to guess whose midnight it is."""
    assert "2026-12-01 00:00 (Europe/Berlin)" == BERLIN.text(at("Europe/Berlin", 2026, 12, 1))


@pytest.mark.parametrize("name", ["Berlin", "../etc/passwd", "", "Europe/", "\0"])
def test_a_zone_that_there_is_not_is_refused_with_the_mend(name):
    """Whatever is typed."""
    with pytest.raises(InvalidFields, match="IANA"):
        zone_of(name)
    with pytest.raises(InvalidFields, match="IANA"):
        check_zone(name)


@pytest.mark.parametrize("name", ["Factory", "localtime", "posixrules", "right/Europe/Berlin"])
def test_a_zone_that_differs_by_machine_is_not_taken(name):
    """Files of the machine's database that are no zones, or count leap seconds."""
    with pytest.raises(InvalidFields, match="IANA"):
        check_zone(name)
    check_zone("Europe/Berlin")
