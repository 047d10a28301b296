"""What keys, users, projects and channels spent in a period of a zone, from the sums of usage.

Law: sums are by UTC days where a period has whole ones, and by hours at its beginning; so where a
zone is off by half an hour, the hour in which a period begins counts whole.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from longwire.core.nouns.access import EVERYTHING, ApiKey, Budgets, Grant
from longwire.core.nouns.budget import Budget, Period, SubjectKind, Unit
from longwire.core.nouns.channel import ChannelSpec, Status
from longwire.core.rules.calendar import UTC_CALENDAR, Calendar, Span
from longwire.core.rules.limits import NOTHING, Spent, Subject
from longwire.core.rules.spending import BudgetState, spent_of
from longwire.store.store import Store
from longwire.store.usage import DAY, By, Usage, Where

_BY: Mapping[SubjectKind, By] = {
    SubjectKind.KEY: "key",
    SubjectKind.USER: "user",
    SubjectKind.PROJECT: "project",
    SubjectKind.CHANNEL: "channel",
}
_OF_KEYS = (
    ("tokens_per_day", Period.DAY, Unit.TOKENS),
    ("tokens_per_month", Period.MONTH, Unit.TOKENS),
    ("cost_per_day", Period.DAY, Unit.DOLLARS),
    ("cost_per_month", Period.MONTH, Unit.DOLLARS),
)


async def spent_in(usage: Usage, kind: SubjectKind, span: Span, now: int) -> dict[str, Spent]:
    """Return what was spent in a period that is not over, by id; `now` in ms since 1970 UTC."""
    begins = round(span.begins * 1_000)
    first_day, by = -(-begins // DAY) * DAY, _BY[kind]
    points = await usage.series(by, first_day, max(first_day, now) + DAY, "d")
    if begins < first_day:
        points += await usage.series(by, begins, first_day, "h")
    spent: dict[str, Spent] = {}
    for point in points:
        before, sums = spent.get(point.name, NOTHING), point.sums
        tokens = before.tokens + sums.input_tokens + sums.output_tokens
        spent[point.name] = Spent(tokens, before.cost + sums.cost)
    return spent


async def spent_by(
    usage: Usage, subjects: Collection[str], calendar: Calendar, now: int
) -> Mapping[str, tuple[Spent, ...]]:
    """Return what subjects, by kind and id, spent in each period of a calendar."""
    kinds = {SubjectKind(each.partition(":")[0]) for each in subjects}
    found: dict[tuple[SubjectKind, Period], dict[str, Spent]] = {}
    for kind in kinds:
        for period in calendar.periods:
            span = calendar.span(period, now / 1_000)
            found[kind, period] = await spent_in(usage, kind, span, now)
    sums = {}
    for each in subjects:
        word, _, id_ = each.partition(":")
        periods = (found[SubjectKind(word), period] for period in calendar.periods)
        sums[each] = tuple(period.get(id_, NOTHING) for period in periods)
    return sums


def subject_of_key(key: ApiKey) -> Subject:
    """Return whose limits those are that a key has by itself."""
    grant = key.grant
    return Subject(f"key:{key.id}", key.name, grant.rates, grant.budgets)


async def budget_states(
    store: Store, declared: Iterable[Budget], zone: str, now: int
) -> tuple[BudgetState, ...]:
    """Return all budgets, those of the file and of keys themselves, too, with what is spent.

    Those of keys are by UTC days and months, all others by the `zone`'s.
    """
    budgets = (*declared, *await store.budgets.all())
    keys = [each for each in await store.keys.all() if each.grant.budgets != Budgets()]
    own = tuple(each for key in keys for each in _own_budgets(key))
    names = await store.budgets.names((*budgets, *own))
    states: list[BudgetState] = []
    for group, calendar in (
        (budgets, Calendar(zone, tuple(Period))),
        (own, UTC_CALENDAR),
    ):
        subjects = {each.subject for each in group}
        sums = await spent_by(store.usage, subjects, calendar, now)
        for each in group:
            span = calendar.span(each.period, now / 1_000)
            at = calendar.periods.index(each.period)
            spent = spent_of(each, sums[each.subject][at])
            name = names.get(each.subject, "")
            states.append(BudgetState(each, name, spent, calendar.zone, span))
    return tuple(states)


def _own_budgets(key: ApiKey) -> Iterable[Budget]:
    """Return the budgets that a key has by itself."""
    for column, period, unit in _OF_KEYS:
        amount = getattr(key.grant.budgets, column)
        if amount is not None:
            id_, kind = f"{key.id}:{column}", SubjectKind.KEY
            yield Budget(id_, kind, key.id, period, unit, amount, revision=key.revision)


async def with_unpriced(
    store: Store,
    states: Iterable[BudgetState],
    specs: Collection[ChannelSpec],
    has_price: Callable[[ChannelSpec, str], bool],
    key_ids: tuple[str, ...] | None = None,
) -> tuple[BudgetState, ...]:
    """Return states that say which models have no price: named by channels, or used of late.

    What others than these keys used is not said.
    """
    named = {
        spec.id: {model for model in spec.named_models if not has_price(spec, model)}
        for spec in specs
        if spec.status is Status.ENABLED
    }
    keys = {each.id: each.grant for each in await store.keys.all()}
    found = []
    for state in states:
        if state.budget.unit is Unit.DOLLARS:
            models = await _used_unpriced(store, state, key_ids)
            models |= _named_unpriced(state.budget, named, keys)
            found.append(replace(state, unpriced=tuple(sorted(models))))
        else:
            found.append(state)
    return tuple(found)


def _named_unpriced(
    budget: Budget, named: Mapping[str, set[str]], keys: Mapping[str, Grant]
) -> set[str]:
    """Return the models without price that channels name which a budget covers."""
    if budget.kind is SubjectKind.CHANNEL:
        return named.get(budget.subject_id, set())
    grant = keys.get(budget.subject_id, EVERYTHING)
    return {
        model
        for channel_id, models in named.items()
        if grant.allows_channel(channel_id)
        for model in models
        if grant.allows_model(model)
    }


async def _used_unpriced(
    store: Store, state: BudgetState, key_ids: tuple[str, ...] | None
) -> set[str]:
    """Return the models that turns of a budget used in its period without a known cost."""
    budget, id_ = state.budget, state.budget.subject_id
    match budget.kind:
        case SubjectKind.KEY:
            where = Where(key_id=id_)
        case SubjectKind.USER:
            where = Where(key_ids=await store.keys.of_user(id_))
        case SubjectKind.PROJECT:
            where = Where((id_,), key_ids=key_ids)
        case SubjectKind.CHANNEL:
            where = Where(channel_id=id_)
    since, until = (round(at * 1_000) for at in state.span)
    served = await store.usage.served(since, until, "d", where)
    return {each.model for each in served if each.sums.unpriced and each.model}
