"""Values as the admin API writes them: ISO 8601 times, costs in US dollars, counts in 64 bits."""

from datetime import UTC, datetime, timedelta
from typing import Final, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

Int64 = NewType("Int64", int)

_GREATEST: Final = 2**63 - 1
_TOO_MUCH: Final = 2.0**64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_LATEST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_NANO: Final = 1_000_000_000


def scalar_map() -> dict[object, ScalarDefinition]:
    """Return the scalars that GraphQL does not have by itself."""
    int64: ScalarDefinition = strawberry.scalar(
        name="Int64",
        description="A whole number of at most 64 bits, as a JSON number.",
        serialize=int,
        parse_value=_read_int64,
    )
    return {Int64: int64}


def _read_int64(value: object) -> int:
    if type(value) is int and -_GREATEST <= value <= _GREATEST:
        return value
    raise GraphQLError("Int64 cannot represent this value; write a whole number")


def time_of(milliseconds: int) -> datetime:
    """Return a time that is kept in ms since 1970 UTC."""
    return _EPOCH + timedelta(milliseconds=max(0, min(milliseconds, _LATEST)))


def time_or_none(milliseconds: int | None) -> datetime | None:
    """Return a time, None where there is none."""
    return None if milliseconds is None else time_of(milliseconds)


def milliseconds_of(time: datetime) -> int:
    """Return a time in ms since 1970 UTC; one without a zone is in UTC."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MILLISECOND


def dollars_of(nano: int) -> float:
    """Return a cost in US dollars from its billionths."""
    return nano / _NANO


def nano_of(dollars: float) -> int:
    """Return a cost in billionths of a US dollar; more than a column holds stays too much."""
    return round(max(-_TOO_MUCH, min(dollars * _NANO, _TOO_MUCH)))


def dollars_or_none(nano: int | None) -> float | None:
    """Return a cost in US dollars, None where there is none."""
    return None if nano is None else dollars_of(nano)


def nano_or_none(dollars: float | None) -> int | None:
    """Return a cost in billionths of a US dollar, None where there is none."""
    return None if dollars is None else nano_of(dollars)
