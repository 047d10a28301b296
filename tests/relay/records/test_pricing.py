"""A turn costs what the bundled prices say, to the billionth of a dollar."""

import genai_prices
import pytest

from longwire.core.rules.turn import Usage
from longwire.relay.records.pricing import Prices
from tests.store.turn_rows import NOON


@pytest.fixture
def prices():
    """The prices of one day."""
    return Prices(lambda: NOON)


@pytest.mark.parametrize("model", ["gpt-5.5", "gpt-5", "gpt-4o", "claude-sonnet-4-5"])
@pytest.mark.parametrize(
    "usage", [Usage(), Usage(1_000, 300, 50, 20), Usage(272_000), Usage(300_000, 299_000, 9_000)]
)
def test_a_turn_costs_what_the_library_says(prices, model, usage):
    """Cached tokens cost less, reasoning ones are output, and a long context has its own price."""
    counted = genai_prices.Usage(
        input_tokens=usage.input, cache_read_tokens=usage.cached, output_tokens=usage.output
    )
    expected = genai_prices.calc_price(counted, model).total_price * 10**9
    assert round(expected) == prices.cost(usage, model)


def test_a_dated_model_costs_what_the_model_costs(prices):
    """Upstreams answer with the day of a model behind its name."""
    usage = Usage(1_000)
    assert prices.cost(usage, "gpt-5.5") == prices.cost(usage, "gpt-5.5-2026-04-01") == 5_000_000


@pytest.mark.parametrize("models", [(), ("",), ("our-own-llm",), ("gpt-5" * 100,)])
def test_what_nobody_prices_costs_nothing_known(prices, models):
    """It is unknown, not free."""
    assert prices.cost(Usage(1_000), *models) is None


def test_the_first_name_that_has_a_price_counts(prices):
    """What served is asked before what was asked for."""
    usage = Usage(1_000)
    assert prices.cost(usage, "gpt-5") == prices.cost(usage, "our-own-llm", "gpt-5", "gpt-5.5")


def test_more_cached_than_read_is_no_discount(prices):
    """An upstream that counts oddly makes no turn cost less than nothing."""
    assert prices.cost(Usage(10, 10), "gpt-5") == prices.cost(Usage(10, 10**6), "gpt-5") > 0
