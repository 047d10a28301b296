"""Which channels may take a turn now, by their limits and budgets, and why none may."""

from collections.abc import Callable, Collection, Mapping, Sequence

from longwire.core.errors import LimitReached
from longwire.core.rules.limits import Spent, Subject
from longwire.core.rules.turn import Turn
from longwire.dialects.responses.usage import expected_usage
from longwire.relay.channels.channel import Channel
from longwire.relay.records.accounting import Price


def limited_subjects(channel: Channel, budgets: Mapping[str, Subject]) -> Sequence[Subject]:
    """Return whose limits a turn at a channel counts against: its own, and its budgets."""
    own = (channel.subject,) if channel.subject.is_limited else ()
    budget = budgets.get(f"channel:{channel.id}") if budgets else None
    return own if budget is None else (*own, budget)


def expected_spending(
    subject: Subject, turn: Turn, price: Price, names: Callable[[str], Sequence[str]]
) -> Spent:
    """Return what a turn counts before it is known; `names` are those whose price a model has."""
    usage = expected_usage(turn)
    cost = price(usage, *names(turn.model)) if subject.counts_cost else None
    return Spent(usage.input + usage.output, cost or 0)


def none_within(waits: Collection[tuple[Subject, int]], now: float) -> LimitReached:
    """Return why no channel takes a turn: each with the seconds that it waits, at a time."""
    seconds = min(wait for _, wait in waits)
    spent = [(subject, wait) for subject, wait in waits if subject.spending]
    if not spent:
        msg = "Every channel of this model is at its limit; try again later."
        return LimitReached(msg, code="rate_limit_exceeded", retry_after=seconds)
    reasons = "; ".join(_used_up(subject, now + wait) for subject, wait in spent)
    msg = f"Every channel of this model is at its limit: {reasons}."
    if len(spent) < len(waits):
        return LimitReached(msg, code="rate_limit_exceeded", retry_after=seconds)
    return LimitReached(msg, code="insufficient_quota", retry_after=seconds)


def _used_up(subject: Subject, until: float) -> str:
    return f"the budget of {subject.name} is used up until {subject.calendar.text(until)}"
