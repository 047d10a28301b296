"""What a turn cost, by the prices that are bundled with the `genai-prices` library.

Law: a cost is an integer, in billionths of a US dollar; None, never 0, for a model without a price.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from longwire.core.rules.turn import Usage

if TYPE_CHECKING:
    from genai_prices.types import TieredPrices

    _Price = Decimal | TieredPrices | None

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
    output: int


class Prices:
    """Prices by model, each looked up once a day. `clock` gives ms since 1970 UTC."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._find = lru_cache(_REMEMBERED)(_find)

    def load(self) -> None:
        """Load the library, which takes a third of a second: in a thread, before the first turn."""
        self._find("gpt-5", self._clock() // _DAY_MS)

    def cost(self, usage: Usage, *models: str) -> int | None:
        """Return what tokens cost by the first of these names that has a price."""
        day = self._clock() // _DAY_MS
        for model in models:
            tiers = self._find(model, day) if 0 < len(model) <= _LONGEST_MODEL else ()
            if tiers:
                return _cost(usage, tiers)
        return None


def _cost(usage: Usage, tiers: tuple[_Tier, ...]) -> int:
    """Add up; the highest tier reached holds for all tokens. Reasoning is part of the output."""
    tier = next(each for each in tiers if usage.input > each.above or each is tiers[-1])
    cached = min(usage.cached, usage.input)
    price = (usage.input - cached) * tier.input + cached * tier.cached + usage.output * tier.output
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
        return _tiers(prices.input_mtok, prices.cache_read_mtok, prices.output_mtok)
    return ()


def _tiers(fresh: "_Price", cached: "_Price", output: "_Price") -> tuple[_Tier, ...]:
    """Return the tiers that three prices have together; what is cached costs less, or the same."""
    if fresh is None or output is None:
        return ()
    prices = (fresh, fresh if cached is None else cached, output)
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
