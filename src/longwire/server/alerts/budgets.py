"""How much of their budgets keys have spent."""

from collections.abc import Iterator, Mapping

from longwire.core.nouns.access import ApiKey
from longwire.core.nouns.alert import Fact
from longwire.core.rules.limits import NOTHING, Spent, month_begins
from longwire.store.store import Store
from longwire.store.usage import DAY


async def key_budgets(store: Store, now: int) -> list[Fact]:
    """Return the spent share of each budget of each key, `now` in ms since 1970 UTC."""
    keys = [key for key in await store.keys.all() if any(_limits(key).values())]
    if not keys:
        return []
    today = await _spent(store, now - now % DAY, now)
    month = await _spent(store, month_begins(now), now)
    return [fact for key in keys for fact in _facts(key, today, month)]


def _limits(key: ApiKey) -> dict[str, int | None]:
    budgets = key.grant.budgets
    return {
        "tokens today": budgets.tokens_per_day,
        "cost today": budgets.cost_per_day,
        "tokens this month": budgets.tokens_per_month,
        "cost this month": budgets.cost_per_month,
    }


def _facts(key: ApiKey, today: Mapping[str, Spent], month: Mapping[str, Spent]) -> Iterator[Fact]:
    day, since = today.get(key.id, NOTHING), month.get(key.id, NOTHING)
    amounts = (day.tokens, day.cost, since.tokens, since.cost)
    for (what, limit), amount in zip(_limits(key).items(), amounts, strict=True):
        if limit:
            yield Fact(f"{key.id}:{what}", f"key {key.name}, {what}", amount / limit)


async def _spent(store: Store, since: int, now: int) -> dict[str, Spent]:
    found: dict[str, Spent] = {}
    for point in await store.usage.series("key", since, now + DAY):
        before, sums = found.get(point.name, NOTHING), point.sums
        tokens = before.tokens + sums.input_tokens + sums.output_tokens
        found[point.name] = Spent(tokens, before.cost + sums.cost)
    return found
