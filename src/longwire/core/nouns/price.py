"""What an operator says that models cost, instead of what is known of them.

Law: as with renames, an exact name wins over patterns, of these the one that says the most.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from longwire.core.errors import FieldProblem
from longwire.core.nouns.renames import check_pattern, finder

GREATEST_PRICE = 10**15
"""A million dollars, which no million tokens cost."""

_NANO = 10**9
_NO_PRICE = -1
_LONGEST_INPUT = 10**9
_AMOUNTS = ("input", "cached", "cacheWrite", "output")


@dataclass(frozen=True, slots=True)
class PriceTier:
    """What they cost in turns of more than `above` tokens of input, all of their tokens."""

    above: int
    input: int
    output: int
    cached: int | None = None
    cache_write: int | None = None


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """What a million tokens of a model cost, in billionths of a US dollar.

    `tiers` are what longer turns cost, the lowest first.

    `model` is a name or a pattern. Where the price of tokens read from a cache or written to one is
    None, they cost what other input does.
    """

    model: str
    input: int
    output: int
    cached: int | None = None
    cache_write: int | None = None
    tiers: tuple[PriceTier, ...] = ()


def nano_of(dollars: Decimal) -> int:
    """Return dollars as billionths; what no price is stays out of range, be it too small."""
    most = Decimal(GREATEST_PRICE)
    nano = round(max(-most, min(dollars, most)) * _NANO)
    return nano if nano or not dollars else _NO_PRICE


PriceFinder = Callable[[str], ModelPrice | None]
"""Tells the price of a model, None where none is said."""


def price_finder(prices: Sequence[ModelPrice]) -> PriceFinder:
    """Return what tells the price of a model."""
    if not prices:
        return nothing_configured
    return finder([(each.model, each) for each in prices])


def nothing_configured(_model: str) -> None:
    """Tell of no price: none is said."""


def check_prices(prices: Sequence[ModelPrice]) -> Iterator[FieldProblem]:
    """Yield what is wrong with prices, as `prices.0.input`."""
    models = [price.model for price in prices]
    for number, price in enumerate(prices):
        problem = check_pattern(price.model)
        if price.model in models[:number]:
            problem = f"{price.model} stands twice; keep one"
        if problem is not None:
            yield FieldProblem(f"prices.{number}.model", problem)
        yield from _check_amounts(f"prices.{number}", price)
        yield from _check_tiers(f"prices.{number}.tiers", price.tiers)


def _check_tiers(place: str, tiers: Sequence[PriceTier]) -> Iterator[FieldProblem]:
    before = 0
    for number, tier in enumerate(tiers):
        if not before < tier.above <= _LONGEST_INPUT:
            mend = f"must be more than {before}, and tokens of input; the lowest tier stands first"
            yield FieldProblem(f"{place}.{number}.above", mend)
        before = max(before, tier.above)
        yield from _check_amounts(f"{place}.{number}", tier)


def _check_amounts(place: str, price: ModelPrice | PriceTier) -> Iterator[FieldProblem]:
    amounts = (price.input, price.cached, price.cache_write, price.output)
    for name, amount in zip(_AMOUNTS, amounts, strict=True):
        if amount is not None and not 0 <= amount <= GREATEST_PRICE:
            mend = "must be 0 to 1000000 US dollars for a million tokens, in steps of 1e-9"
            yield FieldProblem(f"{place}.{name}", mend)
