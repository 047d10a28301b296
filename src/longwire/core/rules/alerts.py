"""When an alert fires, is told again, and is over.

Law: it fires once what is watched was so all the time that it must last, and is over only when the
figure is past the release; in between nothing is told. What too few turns make neither fires nor
resolves anything; a subject that is there no more resolves its alert.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from longwire.core.nouns.alert import AlertEvent, AlertRule, AlertState, Fact, Notice
from longwire.core.nouns.destination import AlertDestination

_SECOND = 1_000


class Verdict(Enum):
    """What a figure says."""

    ALARMING = "alarming"
    BETWEEN = "between"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Step:
    """What holds on, and what is to be told."""

    states: tuple[AlertState, ...]
    notices: tuple[Notice, ...]


def watch(
    rule: AlertRule, facts: Iterable[Fact], states: Mapping[str, AlertState], now: int
) -> Step:
    """Go on from the states before, by subject, to what the facts say at a time, in ms."""
    held: list[AlertState] = []
    notices: list[Notice] = []
    known = {fact.subject: fact for fact in facts}
    for subject in [*known, *(each for each in states if each not in known)]:
        before = states.get(subject)
        after = _follow(rule, known.get(subject), before, now)
        if after is not None:
            held.append(after)
        notices += _notices(before, after)
    return Step(tuple(held), tuple(notices))


def verdict(rule: AlertRule, fact: Fact | None) -> Verdict:
    """Return what a fact says to a rule; a subject of which there is none is fine."""
    if fact is None:
        return Verdict.FINE
    if fact.turns is not None and fact.turns < rule.least_turns:
        return Verdict.BETWEEN
    value, threshold, release = fact.value, rule.threshold, rule.release
    if rule.kind.falls:
        value, threshold, release = -value, -threshold, -release
    if value >= threshold:
        return Verdict.ALARMING
    return Verdict.FINE if value < release else Verdict.BETWEEN


def informed(
    rule: AlertRule, destinations: Iterable[AlertDestination]
) -> tuple[AlertDestination, ...]:
    """Return the destinations that a rule informs."""
    return tuple(
        each
        for each in destinations
        if each.enabled and (not rule.destinations or each.id in rule.destinations)
    )


def _follow(
    rule: AlertRule, fact: Fact | None, before: AlertState | None, now: int
) -> AlertState | None:
    """Return the state of a subject after this fact, None where nothing is so."""
    says = verdict(rule, fact)
    if fact is None or says is Verdict.FINE:
        return None
    if says is Verdict.BETWEEN:
        return before if before is not None and before.fired_at is not None else None
    if before is None:
        before = AlertState(fact.subject, fact.label, now, fact.value)
    state = replace(before, label=fact.label, value=fact.value, note=fact.note)
    if state.fired_at is None:
        is_due = now - state.since >= rule.lasts * _SECOND
        return replace(state, fired_at=now, informed_at=now) if is_due else state
    if rule.repeat_after and now - (state.informed_at or 0) >= rule.repeat_after * _SECOND:
        return replace(state, informed_at=now)
    return state


def _notices(before: AlertState | None, after: AlertState | None) -> Iterator[Notice]:
    had_fired = before is not None and before.fired_at is not None
    if before is not None and had_fired and after is None:
        yield Notice(AlertEvent.RESOLVED, before)
    elif after is not None and after.fired_at is not None:
        if not had_fired:
            yield Notice(AlertEvent.FIRED, after)
        elif before is not None and after.informed_at != before.informed_at:
            yield Notice(AlertEvent.REPEATED, after)
