"""What is said of an alert, to people and to programs."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from longwire.core.nouns.alert import AlertEvent, AlertRule, AlertState, Notice, Unit, Watched
from longwire.core.nouns.delivery import Message

_TIME: Final = "%Y-%m-%d %H:%M:%S UTC"
_EVENTS: Final = {
    AlertEvent.FIRED: "Alert",
    AlertEvent.REPEATED: "Still",
    AlertEvent.RESOLVED: "Resolved",
    AlertEvent.TEST: "Test",
}
Sentence = Callable[[AlertState], str]
_SENTENCES: Final[Mapping[Watched, Sentence]] = {
    Watched.CHANNEL_RESTING: lambda s: f"channel {s.label} rests after failures",
    Watched.SIGN_IN_NEEDED: lambda s: f"{s.label} must sign in again",
    Watched.BUDGET_SHARE: lambda s: f"{s.label}: {_percent(s.value)} of the budget is spent",
    Watched.ERROR_RATE: lambda s: f"{_percent(s.value)} of the turns of channel {s.label} fail",
    Watched.CONTINUED_SHARE: lambda s: (
        f"{_percent(s.value)} of the turns of {s.label} are continued"
    ),
    Watched.CONTINUED_DROP: lambda s: (
        f"the share of continued turns of {s.label} fell by {100 * s.value:.3g} points"
    ),
    Watched.TURN_LOG_FAILING: lambda s: f"{s.label} cannot write the turn log",
    Watched.TURN_LOG_FULL: lambda s: f"the turn log of {s.label} is {_percent(s.value)} full",
    Watched.TURNS_DROPPED: lambda s: f"{s.label} lost {s.value:.0f} turns of the turn log",
    Watched.DISK_FREE: lambda s: f"{_percent(s.value)} of the disk are free at {s.label}",
    Watched.NODE_GONE: lambda s: f"node {s.label} is gone without leaving",
}
NOTES: Final[Mapping[Watched, str]] = {
    Watched.CHANNEL_RESTING: "It failed with: {problem}",
    Watched.ERROR_RATE: "{failures} of {turns} turns failed.",
    Watched.CONTINUED_SHARE: "{continued} of {turns} turns were continued.",
    Watched.CONTINUED_DROP: "It was {before} of {turns_before} turns, and is {share} of {turns}.",
    Watched.TURN_LOG_FAILING: "The database says: {problem}",
    Watched.DISK_FREE: "The data lies in {folder}.",
    Watched.NODE_GONE: "It was not heard for {seconds} seconds and more.",
}
"""What a note says of the figures; the web interface finds them in it, for its own language."""

LABELS: Final[Mapping[Watched, str]] = {
    Watched.SIGN_IN_NEEDED: "account {account} of channel {channel}",
    Watched.CONTINUED_SHARE: "all channels",
    Watched.CONTINUED_DROP: "all channels",
}
"""What a subject is called that has no name of its own; likewise."""


def sentence(watched: Watched, state: AlertState) -> str:
    """Return what is so, in a few words."""
    return _SENTENCES[watched](state)


def message_of(alert_id: str, rule: AlertRule, notice: Notice, now: int) -> Message:
    """Return what is said of an alert at a time, in ms since 1970 UTC."""
    state, event = notice.state, notice.event
    what = sentence(rule.watched, state)
    until = now if event is AlertEvent.RESOLVED else None
    lines = [f"{_EVENTS[event]}: {what}.", f"Since {_time(state.since)}."]
    if until is not None:
        lines[1] = f"From {_time(state.since)} to {_time(until)}."
    if state.note:
        lines.append(state.note)
    if rule.kind.unit is not Unit.STATE:
        lines.append(f"The rule '{rule.name}' alerts at {_figure(rule, rule.threshold)}.")
    else:
        lines.append(f"The rule is '{rule.name}'.")
    return Message(
        f"[Longwire] {_EVENTS[event]}: {what}",
        "\n".join(lines),
        f"alert.{event.value}",
        _members(alert_id, rule, state, until),
    )


def test_message(now: int) -> Message:
    """Return what is said to try a destination."""
    text = f"This destination was tried at {_time(now)}. Alerts of Longwire arrive like this."
    return Message("[Longwire] Test: alerts arrive here", text, "alert.test", {})


def _members(
    alert_id: str, rule: AlertRule, state: AlertState, until: int | None
) -> dict[str, Any]:
    return {
        "id": alert_id,
        "rule": {"id": rule.id, "name": rule.name},
        "watched": rule.watched.value,
        "subject": state.subject,
        "label": state.label,
        "value": state.value,
        "threshold": rule.threshold,
        "since": _iso(state.since),
        "until": None if until is None else _iso(until),
        "note": state.note,
    }


def _figure(rule: AlertRule, value: float) -> str:
    return _percent(value) if rule.kind.unit is Unit.SHARE else f"{value:g}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _time(milliseconds: int) -> str:
    return _at(milliseconds).strftime(_TIME)


def _iso(milliseconds: int) -> str:
    return _at(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
