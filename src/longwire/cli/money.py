"""Money as `--json` prints it: in US dollars, as `--set`, the file and the admin API have it.

Law: no amount leaves a command in billionths; what is a `cost` inside is `cost_usd` there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Final

from longwire.core.nouns.budget import Budget, Unit
from longwire.core.nouns.price import ModelPrice, PriceTier
from longwire.core.nouns.secret import Secret
from longwire.core.rules.spending import BudgetState

_NANO: Final = 1e9
_COSTS: Final = frozenset({"cost", "cost_per_day", "cost_per_month"})
_PRICES: Final = frozenset({"input", "cached", "cache_write", "output"})
_NAMES: Final = {"cost": "cost_usd"}


def in_dollars(value: object) -> object:
    """Return a value for JSON, all that has fields as a dictionary, its money in US dollars."""
    match value:
        case str() | bytes() | Secret():
            return value
        case Mapping():
            return _converted(value, _COSTS)
        case Sequence():
            return [in_dollars(each) for each in value]
        case _ if is_dataclass(value):
            members = {field.name: getattr(value, field.name) for field in fields(value)}
            return _converted(members, _amounts(value))
        case _:
            return value


def _converted(members: Mapping[str, object], amounts: Collection[str]) -> dict[str, object]:
    return {
        _NAMES.get(name, name): each / _NANO
        if name in amounts and isinstance(each, int)
        else in_dollars(each)
        for name, each in members.items()
    }


def _amounts(value: object) -> Collection[str]:
    """Return the names of the fields that are amounts of money."""
    match value:
        case ModelPrice() | PriceTier():
            return _PRICES
        case Budget(unit=Unit.DOLLARS):
            return ("amount",)
        case BudgetState(budget=Budget(unit=Unit.DOLLARS)):
            return ("spent",)
        case _:
            return _COSTS
