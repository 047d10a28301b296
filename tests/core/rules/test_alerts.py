"""Laws of the alert rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.nouns.alert import (
    KINDS,
    AlertEvent,
    AlertRule,
    Fact,
    Unit,
    Watched,
    check_alert_rule,
    new_rule,
)
from longwire.core.rules.alerts import Verdict, verdict, watch

MINUTE = 60_000
RATE = AlertRule("r", "r", Watched.ERROR_RATE, threshold=0.5, lasts=120, least_turns=10)
FREE = AlertRule("r", "r", Watched.DISK_FREE, threshold=0.1)
KINDS_OF_EVENTS = {AlertEvent.FIRED, AlertEvent.RESOLVED}


def play(rule, values, step=MINUTE):
    """What is told while a subject goes through values; None is that it is not there.

    A value may be a pair with a number of turns. Returns minute and event of each notice.
    """
    states, heard = {}, []
    for minute, value in enumerate(values):
        figure, turns = value if isinstance(value, tuple) else (value, None)
        facts = [] if figure is None else [Fact("a", "A", figure, turns)]
        result = watch(rule, facts, states, minute * step)
        states = {state.subject: state for state in result.states}
        heard += [(minute, notice.event) for notice in result.notices]
    return heard


def test_it_fires_after_it_lasted_and_resolves_past_the_release():
    """At half of the turns two minutes long; over only below 80 % of that."""
    values = [0.6, 0.6, 0.6, 0.45, 0.55, 0.39, 0.1]
    assert [(2, AlertEvent.FIRED), (5, AlertEvent.RESOLVED)] == play(RATE, values)


def test_a_moment_in_between_begins_anew():
    """What was fine, or on the border, for a look did not last."""
    assert [] == play(RATE, [0.6, 0.6, 0.2, 0.6, 0.6, 0.45, 0.6, 0.6])


def test_one_of_one_is_no_alarm():
    """Fewer turns than the rule wants neither fire nor resolve."""
    few, many = (1.0, 9), (1.0, 10)
    assert [] == play(RATE, [few] * 9)
    heard = play(RATE, [many, many, many, (0.0, 3), (0.0, 10)])
    assert [(2, AlertEvent.FIRED), (4, AlertEvent.RESOLVED)] == heard


def test_who_is_there_no_more_resolves():
    """A channel that was deleted rests no more."""
    assert [(0, AlertEvent.FIRED), (1, AlertEvent.RESOLVED)] == play(FREE, [0.05, None])


def test_a_falling_figure_alerts_at_the_threshold_and_below():
    """A tenth of the disk, and less; over past 11 %."""
    heard = play(FREE, [0.11, 0.1, 0.105, 0.2])
    assert [(1, AlertEvent.FIRED), (3, AlertEvent.RESOLVED)] == heard


def test_it_is_told_again_each_so_often():
    """Not before, and not after it is over."""
    rule = AlertRule("r", "r", Watched.NODE_GONE, repeat_after=180)
    heard = play(rule, [1.0] * 7 + [0.0] * 5)
    assert [
        (0, AlertEvent.FIRED),
        (3, AlertEvent.REPEATED),
        (6, AlertEvent.REPEATED),
        (7, AlertEvent.RESOLVED),
    ] == heard


def test_a_channel_that_is_tried_again_is_neither_nor():
    """Its alert is over when it has served, not when its rest is over."""
    rule = new_rule("r", Watched.CHANNEL_RESTING)
    heard = play(rule, [0.5, 1.0, 0.5, 1.0, 0.5, 0.0])
    assert [(1, AlertEvent.FIRED), (5, AlertEvent.RESOLVED)] == heard


figures = st.one_of(st.none(), st.tuples(st.floats(0, 1), st.integers(0, 20)))
rules = st.builds(
    AlertRule,
    id=st.just("r"),
    name=st.just("r"),
    watched=st.sampled_from([Watched.ERROR_RATE, Watched.CONTINUED_SHARE]),
    threshold=st.floats(0.01, 0.9),
    lasts=st.sampled_from([0, 60, 180]),
    least_turns=st.integers(1, 15),
    repeat_after=st.sampled_from([0, 120]),
)


@given(rules, st.lists(figures, max_size=40))
def test_it_fires_and_resolves_by_turns(rule, values):
    """Never fired twice without an end between, never resolved without having fired."""
    heard = [event for _, event in play(rule, values) if event in KINDS_OF_EVENTS]
    expected = [AlertEvent.FIRED, AlertEvent.RESOLVED] * len(heard)
    assert expected[: len(heard)] == heard


@given(rules, st.lists(figures, max_size=40))
def test_it_fires_only_where_it_lasted(rule, values):
    """At every look of as long as the rule says it was alarming, by enough turns."""
    for minute, event in play(rule, values):
        if event is AlertEvent.FIRED:
            span = values[minute - rule.lasts // 60 : minute + 1]
            says = {verdict(rule, Fact("a", "A", *each)) for each in span}
            assert ({Verdict.ALARMING}, rule.lasts // 60 + 1) == (says, len(span))


@given(rules, st.lists(st.floats(0, 1), max_size=30))
def test_on_the_border_nothing_is_told(rule, values):
    """Between threshold and release an alert lasts, and none begins."""
    low, high = sorted([rule.threshold, rule.release])
    inside = [low + (high - low) * (0.01 + 0.98 * each) for each in values]
    assert [] == play(rule, [(each, 20) for each in inside])
    fired = (0.0 if rule.kind.falls else 1.0, 20)
    begun = [fired] * 4
    events = {event for _, event in play(rule, begun + [(each, 20) for each in inside])}
    assert AlertEvent.RESOLVED not in events


@given(rules, st.lists(figures, max_size=15), st.lists(figures, max_size=15))
def test_subjects_do_not_know_of_each_other(rule, one, other):
    """What is told of two is what is told of each alone."""
    length = max(len(one), len(other))
    columns = [each + [None] * (length - len(each)) for each in (one, other)]
    states, heard = {}, []
    for minute, pair in enumerate(zip(*columns, strict=True)):
        facts = [Fact(n, n, *each) for n, each in zip("ab", pair, strict=True) if each]
        result = watch(rule, facts, states, minute * MINUTE)
        states = {state.subject: state for state in result.states}
        heard += [(minute, each.event, each.state.subject) for each in result.notices]
    alone = [
        (minute, event, name)
        for name, values in zip("ab", columns, strict=True)
        for minute, event in play(rule, values)
    ]
    assert sorted(alone) == sorted(heard)


@pytest.mark.parametrize("watched", Watched)
def test_the_usual_rule_of_each_kind_is_a_good_one(watched):
    """Its threshold is allowed, and its release is on the fine side of it."""
    rule = new_rule("r", watched)
    assert [] == list(check_alert_rule(rule))
    sign = -1 if rule.kind.falls else 1
    assert sign * rule.release < sign * rule.threshold


@pytest.mark.parametrize("watched", Watched)
def test_a_share_is_at_most_everything(watched):
    """A threshold that no figure reaches is refused by its field."""
    rule = AlertRule("r", "r", watched, threshold=1.5)
    fields = [problem.field for problem in check_alert_rule(rule)]
    assert (["threshold"] if KINDS[watched].unit is Unit.SHARE else []) == fields


def test_every_field_is_refused_by_its_name():
    """All at once, each with what to write."""
    rule = AlertRule("r", " ", Watched.ERROR_RATE, 0.0, 1, -1, 0, -1, tuple("x" * 51))
    fields = [problem.field for problem in check_alert_rule(rule)]
    expected = ["name", "threshold", "window", "lasts", "repeatAfter", "leastTurns", "destinations"]
    assert expected == fields
