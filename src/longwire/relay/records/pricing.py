"""What a turn cost: by what an operator says, else by the prices of the `genai-prices` library.

Law: a cost is an integer, in billionths of a US dollar; None, never 0, for a model without a price.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from longwire.core.nouns.price import ModelPrice, PriceFinder, PriceTier, nothing_configured
from longwire.core.rules.turn import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice as _Known
    from genai_prices.types import TieredPrices

_PER_TOKEN = 1_000_000
_NANO = 1_000_000_000
_REMEMBERED = 1_024
_LONGEST_MODEL = 128
_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_DAY_MS = 86_400_000


class _Tier(NamedTuple):
    """Prices of a million tokens in nano-dollars, for turns of more than `above` input tokens."""

    above: int
    input: int
    cached: int
    cache_write: int
    output: int


class Quote(NamedTuple):
    """The price of a model, and whether an operator has configured it."""

    price: ModelPrice
    is_configured: bool


class Prices:
    """Prices by model, each looked up once a day. `clock` gives ms since 1970 UTC."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._find = lru_cache(_REMEMBERED)(_find)

    def load(self) -> None:
        """Load the library, which takes a third of a second: in a thread, before the first turn."""
        self._find("gpt-5", self._clock() // _DAY_MS)

    def cost(
        self, usage: Usage, *models: str, configured: PriceFinder = nothing_configured
    ) -> int | None:
        """Return what tokens cost by the first of these names that has a price.

        One that is configured for any of them goes before those that are bundled, which are for
        text alone.
        """
        for model in models:
            if (price := configured(model)) is not None:
                return _cost(usage, _configured_tiers(price))
        if usage.media:
            return None
        for model in models:
            if tiers := self._bundled(model):
                return _cost(usage, tiers)
        return None

    def quote(self, models: tuple[str, ...], configured: PriceFinder) -> Quote | None:
        """Return the price that `cost` would go by for these names, as far as it is known."""
        for model in models:
            if (price := configured(model)) is not None:
                return Quote(replace(price, model=model), is_configured=True)
        for model in models:
            if tiers := self._bundled(model):
                *longer, first = (
                    PriceTier(each.above, each.input, each.output, each.cached, each.cache_write)
                    for each in tiers
                )
                amounts = (first.input, first.output, first.cached, first.cache_write)
                price = ModelPrice(model, *amounts, tuple(reversed(longer)))
                return Quote(price, is_configured=False)
        return None

    def _bundled(self, model: str) -> tuple[_Tier, ...]:
        is_name = 0 < len(model) <= _LONGEST_MODEL
        return self._find(model, self._clock() // _DAY_MS) if is_name else ()


def _configured_tiers(price: ModelPrice) -> tuple[_Tier, ...]:
    """Return the tiers of a configured price, highest first."""
    longer = tuple(_tier(each.above, each) for each in reversed(price.tiers))
    return (*longer, _tier(0, price))


def _tier(above: int, price: ModelPrice | PriceTier) -> _Tier:
    cached = price.input if price.cached is None else price.cached
    cache_write = price.input if price.cache_write is None else price.cache_write
    return _Tier(above, price.input, cached, cache_write, price.output)


def _cost(usage: Usage, tiers: tuple[_Tier, ...]) -> int:
    """Add up; the highest tier reached holds for all tokens. Reasoning is part of the output."""
    tier = next(each for each in tiers if usage.input > each.above or each is tiers[-1])
    cached = min(usage.cached, usage.input)
    written = min(usage.cache_write, usage.input - cached)
    price = (usage.input - cached - written) * tier.input + usage.output * tier.output
    price += cached * tier.cached + written * tier.cache_write
    return (price + _PER_TOKEN // 2) // _PER_TOKEN


def _find(model: str, day: int) -> tuple[_Tier, ...]:
    """Return the tiers of a model's price on a day since 1970 UTC, highest first; none if unknown.

    A dated model, `gpt-5.5-2026-04-01`, costs what the model costs.
    """
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - slow, and not for all

    snapshot = get_snapshot()
    at = datetime.fromtimestamp(day * _DAY_MS // 1000, UTC)
    for name in dict.fromkeys((model, _DATED.sub("", model))):
        try:
            _, found = snapshot.find_provider_model(name, None, None, None)
        except LookupError:
            continue
        prices = found.get_prices(at)
        return _tiers(prices)
    return ()


def _tiers(known: "_Known") -> tuple[_Tier, ...]:
    """Return the tiers that prices have together; where a cache's is unknown, it is the input's."""
    fresh, output = known.input_mtok, known.output_mtok
    if fresh is None or output is None:
        return ()
    cached, cache_write = known.cache_read_mtok, known.cache_write_mtok
    prices = (
        fresh,
        fresh if cached is None else cached,
        fresh if cache_write is None else cache_write,
        output,
    )
    starts = {above for price in prices for above, _ in _steps(price)}
    return tuple(
        _Tier(start, *(_nano(price, start) for price in prices))
        for start in sorted(starts, reverse=True)
    )


def _steps(price: "Decimal | TieredPrices") -> list[tuple[int, Decimal]]:
    """Return a price as steps: above so many input tokens, so much."""
    if isinstance(price, Decimal):
        return [(0, price)]
    return [(0, price.base), *((tier.start, tier.price) for tier in price.tiers)]


def _nano(price: "Decimal | TieredPrices", start: int) -> int:
    """Return what a million tokens cost in the tier that begins above so many input tokens."""
    return int([cost for above, cost in _steps(price) if above <= start][-1] * _NANO)
