"""What is left of a key's rates, by the headers of answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.nouns.quota import Quota, Window
from longwire.dialects.rate_headers import decode_rates

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("1s", 1), ("6m0s", 360), ("20ms", 0.02), ("1h2m3.5s", 3723.5), ("2027-01-15T08:00:01Z", 1)],
)
def test_rates_are_read_as_openai_writes_them(reset, seconds):
    """Used is what is not left; it resets after a duration, or at a date."""
    headers = {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "25",
        "x-ratelimit-reset-requests": reset,
    }
    expected = Quota(primary=Window(75.0, resets_at=NOW + seconds), seen_at=NOW)
    assert expected == decode_rates(headers, NOW)


def test_rates_are_read_as_anthropic_writes_them():
    """Tokens come beside requests."""
    headers = {
        "anthropic-ratelimit-tokens-limit": "1000",
        "anthropic-ratelimit-tokens-remaining": "900",
        "anthropic-ratelimit-tokens-reset": "2027-01-15T08:01:00Z",
    }
    quota = decode_rates(headers, NOW)
    assert quota is not None
    assert Window(10.0, resets_at=NOW + 60) == _rounded(quota.secondary)


def _rounded(window):
    return Window(round(window.used_percent, 6), window.minutes, window.resets_at)


def test_a_rate_that_is_used_up_refuses_nobody():
    """It fills up again while nobody looks: the upstream has the last word."""
    headers = {"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "0"}
    quota = decode_rates({**headers, "x-ratelimit-reset-requests": "1m"}, NOW)
    assert quota is not None
    assert quota.blocked_until(NOW) is None
    assert quota.headroom(NOW) < 0.1


@given(st.dictionaries(st.sampled_from(["limit", "remaining", "reset"]), st.text(max_size=8)))
def test_no_header_breaks_an_answer(values):
    """Whatever an upstream writes there, it is read or passed over."""
    headers = {f"x-ratelimit-{name}-tokens": value for name, value in values.items()}
    quota = decode_rates(headers, NOW)
    assert quota is None or 0 <= quota.headroom(NOW) <= 1
