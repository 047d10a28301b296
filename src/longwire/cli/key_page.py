"""What a key may have and what it spent, in words."""

from dataclasses import asdict
from typing import Final

from longwire.core.nouns.access import ApiKey, Budgets, Rates
from longwire.core.rules.limits import Spent

_NANO: Final = 1e9
_WORDS: Final = {
    "requests_per_minute": "requests/min",
    "tokens_per_minute": "tokens/min",
    "concurrent_turns": "turns at once",
    "tokens_per_day": "tokens/day",
    "tokens_per_month": "tokens/month",
    "cost_per_day": "a day",
    "cost_per_month": "a month",
}


def limits_text(rates: Rates, budgets: Budgets) -> str:
    """Return limits in words, "" for none."""
    known = {**asdict(rates), **asdict(budgets)}
    return ", ".join(
        f"{_amount(name, limit)} {_WORDS.get(name, name)}"
        for name, limit in known.items()
        if limit is not None
    )


def _amount(name: str, limit: int) -> str:
    return f"${limit / _NANO:,.2f}" if name.startswith("cost_") else f"{limit:,}"


def spent_text(spent: Spent, cost: int | None, tokens: int | None) -> str:
    """Return what was spent in a period, of a budget where there is one."""
    dollars = f"${spent.cost / _NANO:,.2f}"
    if cost is not None:
        dollars += f" of ${cost / _NANO:,.2f}"
    return dollars if tokens is None else f"{dollars}, {spent.tokens:,} of {tokens:,} tokens"


def choices_text(keys: tuple[ApiKey, ...]) -> str:
    """Return keys of one name told apart."""
    return ", ".join(f"{key.id} ({key.prefix}…, {key.grant.project_id})" for key in keys)
