"""Alert rules: what is watched, from when on somebody is told, and what an alert is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from longwire.core.errors import FieldProblem
from longwire.core.nouns.names import check_name

LONGEST_SPAN: Final = 7 * 24 * 3600
"""Most seconds of a window, of how long something must last, and between two reminders."""

SHORTEST_WINDOW: Final = 60
_GREATEST: Final = 1_000_000_000
_MOST_DESTINATIONS: Final = 50


class Watched(StrEnum):
    """What a rule watches."""

    CHANNEL_RESTING = "channel_resting"
    SIGN_IN_NEEDED = "sign_in_needed"
    BUDGET_SHARE = "budget_share"
    ERROR_RATE = "error_rate"
    CONTINUED_SHARE = "continued_share"
    CONTINUED_DROP = "continued_drop"
    TURN_LOG_FAILING = "turn_log_failing"
    TURN_LOG_FULL = "turn_log_full"
    TURNS_DROPPED = "turns_dropped"
    DISK_FREE = "disk_free"
    NODE_GONE = "node_gone"


class Unit(StrEnum):
    """What a threshold counts: a share from 0 to 1, a number, or nothing where something is so."""

    SHARE = "share"
    NUMBER = "number"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a figure is watched, by its `unit`; `threshold` is where it usually alerts.

    One that `falls` alerts at its threshold and below it, others at it and above. It is over once
    the figure is past `over` times the threshold, so that one on the border is not told again and
    again. What `counts_turns` looks at a window and needs a least number of turns.
    """

    unit: Unit = Unit.STATE
    threshold: float = 1.0
    over: float = 0.95
    falls: bool = False
    counts_turns: bool = False
    has_window: bool = False


KINDS: Final[Mapping[Watched, Kind]] = MappingProxyType(
    {
        # A channel that is tried again, but did not serve yet, counts a half: neither nor.
        Watched.CHANNEL_RESTING: Kind(over=0.5),
        Watched.SIGN_IN_NEEDED: Kind(),
        Watched.BUDGET_SHARE: Kind(Unit.SHARE, 0.8),
        Watched.ERROR_RATE: Kind(Unit.SHARE, 0.1, over=0.8, counts_turns=True, has_window=True),
        Watched.CONTINUED_SHARE: Kind(
            Unit.SHARE, 0.5, over=1.1, falls=True, counts_turns=True, has_window=True
        ),
        Watched.CONTINUED_DROP: Kind(Unit.SHARE, 0.2, over=0.8, counts_turns=True, has_window=True),
        Watched.TURN_LOG_FAILING: Kind(),
        Watched.TURN_LOG_FULL: Kind(Unit.SHARE, 0.5, over=0.8),
        Watched.TURNS_DROPPED: Kind(Unit.NUMBER, 1.0, has_window=True),
        Watched.DISK_FREE: Kind(Unit.SHARE, 0.1, over=1.1, falls=True),
        Watched.NODE_GONE: Kind(),
    }
)


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule as it is kept; spans in seconds. It informs its `destinations`, by id, none means all.

    Something must be so for as long as it `lasts` before it is told, and is told again each
    `repeat_after`, 0 for never.
    """

    id: str
    name: str
    watched: Watched
    threshold: float = 1.0
    window: int = 900
    lasts: int = 0
    least_turns: int = 20
    repeat_after: int = 0
    destinations: tuple[str, ...] = ()
    enabled: bool = True
    created_at: int = 0
    revision: int = 0
    is_declared: bool = False

    @property
    def kind(self) -> Kind:
        """How its figure is watched."""
        return KINDS[self.watched]

    @property
    def release(self) -> float:
        """The figure past which an alert is over; a share of all is never asked for."""
        release = self.threshold * self.kind.over
        if self.kind.falls and self.kind.unit is Unit.SHARE:
            return min(release, (self.threshold + 1) / 2)
        return release


def new_rule(name: str, watched: Watched) -> AlertRule:
    """Return a rule with the usual threshold of what it watches."""
    return AlertRule("", name, watched, threshold=KINDS[watched].threshold)


def settled(rule: AlertRule) -> AlertRule:
    """Return a rule whose threshold is 1 where something is so or not."""
    return replace(rule, threshold=1.0) if rule.kind.unit is Unit.STATE else rule


def check_alert_rule(rule: AlertRule) -> Iterator[FieldProblem]:
    """Yield what is wrong, field by field."""
    yield from check_name(rule.name)
    yield from _check_threshold(rule)
    if not SHORTEST_WINDOW <= rule.window <= LONGEST_SPAN:
        yield FieldProblem("window", f"must be {SHORTEST_WINDOW} to {LONGEST_SPAN} seconds")
    for name, span in (("lasts", rule.lasts), ("repeatAfter", rule.repeat_after)):
        if not 0 <= span <= LONGEST_SPAN:
            yield FieldProblem(name, f"must be 0 to {LONGEST_SPAN} seconds")
    if not 1 <= rule.least_turns <= _GREATEST:
        yield FieldProblem("leastTurns", "must be 1 or more")
    if len(rule.destinations) > _MOST_DESTINATIONS:
        yield FieldProblem("destinations", f"has at most {_MOST_DESTINATIONS} entries")


def _check_threshold(rule: AlertRule) -> Iterator[FieldProblem]:
    match rule.kind.unit:
        case Unit.SHARE if not 0 < rule.threshold <= 1:
            yield FieldProblem("threshold", "is a share: write more than 0 and at most 1, as 0.8")
        case Unit.NUMBER if not 1 <= rule.threshold <= _GREATEST:
            yield FieldProblem("threshold", "must be 1 or more")
        case _:
            pass


class AlertEvent(StrEnum):
    """Why somebody is told."""

    FIRED = "fired"
    REPEATED = "repeated"
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure of one subject, such as a channel, now; `turns` is how many it is made of.

    `note` says in a sentence what is behind it, "" where nobody knows.
    """

    subject: str
    label: str
    value: float
    turns: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class AlertState:
    """Something that is so `since`, in ms since 1970 UTC; an alert once it is `fired_at`.

    `informed_at` is when it was last told.
    """

    subject: str
    label: str
    since: int
    value: float
    note: str = ""
    fired_at: int | None = None
    informed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of an alert."""

    event: AlertEvent
    state: AlertState
