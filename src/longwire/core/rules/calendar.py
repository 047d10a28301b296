"""When days, weeks and months begin and end in a zone.

Law: each instant is in one day, one week and one month; each ends where the next begins, and no
clock change is lost: a day has 23 or 25 hours where the zone's clocks are changed.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.budget import Period

_UTC_NAME: Final = "UTC"
_OF_THE_MACHINE: Final = frozenset({"Factory", "localtime", "posixrules"})


class Span(NamedTuple):
    """From when until before when, in seconds since 1970 UTC."""

    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods in a zone of the IANA database, the shortest first."""

    zone: str = _UTC_NAME
    periods: tuple[Period, ...] = (Period.DAY, Period.MONTH)

    def span(self, period: Period, now: float) -> Span:
        """Return the period that a time in seconds since 1970 UTC falls into."""
        zone = zone_of(self.zone)
        first = _first_day(period, datetime.fromtimestamp(now, zone).date())
        return Span(_midnight(first, zone), _midnight(_next_first_day(period, first), zone))

    def names(self, now: float) -> tuple[str, ...]:
        """Return a short name for each period that a time falls into, as `d20261129`."""
        return _names(self, int(now // 60))

    def text(self, at: float) -> str:
        """Return a time as people of the zone read it, with the zone's name."""
        local = datetime.fromtimestamp(at, zone_of(self.zone))
        return f"{local:%Y-%m-%d %H:%M} ({self.zone})"


UTC_CALENDAR: Final = Calendar()


def check_zone(name: str) -> None:
    """Raise `InvalidFields` for a zone that there is not, or that differs by machine."""
    differs = name in _OF_THE_MACHINE or name.startswith(("posix/", "right/"))
    zone_of("" if differs else name)


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """Return a zone by its name. Raises `InvalidFields` for one that there is not."""
    if name == _UTC_NAME:
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - most gateways keep to UTC

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        mend = "write a zone of the IANA database, such as Europe/Berlin or UTC"
        raise InvalidFields([FieldProblem("timeZone", mend)]) from error


@lru_cache(maxsize=64)
def _names(calendar: Calendar, minute: int) -> tuple[str, ...]:
    """Return the names of periods; in no zone does one begin within a minute."""
    local = datetime.fromtimestamp(minute * 60, zone_of(calendar.zone)).date()
    firsts = {each: _first_day(each, local) for each in calendar.periods}
    return tuple(
        f"{each.value[0]}{first:%Y%m}" if each is Period.MONTH else f"{each.value[0]}{first:%Y%m%d}"
        for each, first in firsts.items()
    )


def _first_day(period: Period, day: date) -> date:
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            return day - timedelta(days=day.weekday())
        case Period.MONTH:
            return day.replace(day=1)


def _next_first_day(period: Period, first: date) -> date:
    match period:
        case Period.DAY:
            return first + timedelta(days=1)
        case Period.WEEK:
            return first + timedelta(days=7)
        case Period.MONTH:
            return (first + timedelta(days=32)).replace(day=1)


def _midnight(day: date, zone: tzinfo) -> float:
    """Return when a day begins: where its midnight is skipped, at the change that skips it."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
