"""A turn costs what the bundled prices say, to the billionth of a dollar."""

import genai_prices
import pytest

from longwire.core.nouns.price import ModelPrice, PriceTier, price_finder
from longwire.core.rules.turn import Usage
from longwire.relay.records.pricing import Prices
from tests.store.turn_rows import NOON


@pytest.fixture
def prices():
    """The prices of one day."""
    return Prices(lambda: NOON)


@pytest.mark.parametrize("model", ["gpt-5.5", "gpt-5", "gpt-4o", "claude-sonnet-4-5"])
@pytest.mark.parametrize(
    "usage",
    [
        Usage(),
        Usage(1_000, 300, 50, 20),
        Usage(1_000, 300, 50, cache_write=500),
        Usage(272_000),
        Usage(300_000, 299_000, 9_000),
    ],
)
def test_a_turn_costs_what_the_library_says(prices, model, usage):
    """What a cache gives and takes has its price, reasoning is output, long contexts cost more."""
    counted = genai_prices.Usage(
        input_tokens=usage.input,
        cache_read_tokens=usage.cached,
        cache_write_tokens=usage.cache_write,
        output_tokens=usage.output,
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


OWN = price_finder(
    [
        ModelPrice("our-*", 1_000_000, 4_000_000, cached=100_000, cache_write=2_000_000),
        ModelPrice("gpt-5", 7_000_000, 0),
    ]
)


@pytest.mark.parametrize(
    ("models", "usage", "expected"),
    [
        (("our-llm",), Usage(10, 4, 2, cache_write=3), 3 + 6 + 8),
        (("gpt-5",), Usage(10, 4, 2, cache_write=3), 70),
        (("gpt-5.5", "our-llm"), Usage(10), 10),
    ],
)
def test_a_configured_price_goes_before_the_bundled_one(prices, models, usage, expected):
    """For any name of the model; what a cache gives or takes costs what input does by default."""
    assert expected == prices.cost(usage, *models, configured=OWN)


def test_what_is_not_configured_costs_what_is_bundled(prices):
    """Another model has the price that is known of it, and one of no price stays unknown."""
    usage = Usage(1_000)
    assert prices.cost(usage, "gpt-5.5") == prices.cost(usage, "gpt-5.5", configured=OWN)
    assert prices.cost(usage, "nobody-knows", configured=OWN) is None


TIERED = ModelPrice(
    *("deep", 1_000_000, 2_000_000),
    tiers=(
        PriceTier(10, 3_000_000, 5_000_000, cached=500_000),
        PriceTier(20, 7_000_000, 9_000_000),
    ),
)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(10, 0, 1), 10 + 2),
        (Usage(11, 0, 1), 33 + 5),
        (Usage(11, 4, 0), 21 + 2),
        (Usage(20, 0, 1), 60 + 5),
        (Usage(21, 4, 1), 147 + 9),
    ],
)
def test_longer_turns_cost_what_their_tier_says(prices, usage, expected):
    """All tokens of a turn, from the first above the tier's on; what a cache costs with them."""
    assert expected == prices.cost(usage, "deep", configured=price_finder([TIERED]))


def test_a_quote_tells_the_tiers(prices):
    """Of a configured price as of a bundled one, the lowest first."""
    assert (TIERED, True) == prices.quote(("deep",), price_finder([TIERED]))
    price, _ = prices.quote(("gemini-2.5-pro",), OWN)
    assert [200_000] == [tier.above for tier in price.tiers]
    assert price.input < price.tiers[0].input


def test_a_quote_says_who_said_it(prices):
    """Configured with the model's own name, bundled from the first token on, or none."""
    own = ModelPrice("our-1", 1_000_000, 4_000_000, 100_000, 2_000_000)
    assert (own, True) == prices.quote(("our-1",), OWN)
    price, is_configured = prices.quote(("gpt-5.5",), OWN)
    assert (5 * 10**9, 30 * 10**9, False) == (price.input, price.output, is_configured)
    assert prices.quote(("nobody-knows",), OWN) is None


def test_a_quote_of_several_names_is_what_they_cost(prices):
    """Of the name sent and the one asked for, a configured price goes before a bundled one."""
    assert prices.quote(("gpt-5.5",), OWN) == prices.quote(("gpt-5.5", "nobody-knows"), OWN)
    price, is_configured = prices.quote(("gpt-5.5", "our-1"), OWN)
    assert (1_000_000, True) == (price.input, is_configured)
