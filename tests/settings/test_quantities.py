"""Durations and sizes: what is read, what is refused, and that both ways agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.settings.quantities import (
    format_duration,
    format_size,
    parse_duration,
    parse_size,
    parse_wait,
)

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
FACTORS = {"B": 1, "kB": 1000, "KiB": 1024, "MB": 1000**2, "MiB": 1024**2, "GB": 1000**3}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("50m", 3000), ("20s", 20), ("250ms", 0.25), ("1h30m", 5400), ("1.5s", 1.5), ("2d", 172_800)],
)
def test_duration_in_seconds(text, seconds):
    """A duration is read in seconds."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64MiB", 67_108_864),
        ("1GB", 1_000_000_000),
        ("2GiB", 2_147_483_648),
        ("512B", 512),
        ("1.5KiB", 1536),
        ("10 kB", 10_000),
        ("10KB", 10_000),
    ],
)
def test_size_in_bytes(text, size):
    """A size is read in bytes."""
    assert parse_size(text) == size


@pytest.mark.parametrize("bare", ["30", "1.5", 30, 1.5])
def test_bare_number_is_no_duration(bare):
    """Nobody has to guess the unit: a bare number is refused with the mend."""
    with pytest.raises(ValueError, match=r'bare number is no duration; write .* as in "20s"'):
        parse_duration(bare)


@pytest.mark.parametrize("bare", ["64", 64])
def test_bare_number_is_no_size(bare):
    """Likewise for sizes."""
    with pytest.raises(ValueError, match=r'bare number is no size; write .* as in "64MiB"'):
        parse_size(bare)


@pytest.mark.parametrize(
    "text",
    ["", "s", "5 m", "5x", "-5s", "5S", "1h 30m", "5sm", "\u0665s", "5m\n", True, None, ["5s"]],
)
def test_no_duration(text):
    """What is no duration is refused with examples of one."""
    with pytest.raises(ValueError, match='no duration; write a number with its unit, as in "20s"'):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "MiB", "-1MB", "1mb", "1 MiB ", "1Mi", "1e3B", None])
def test_no_size(text):
    """What is no size is refused with examples of one."""
    with pytest.raises(ValueError, match='no size; write a number with its unit, as in "64MiB"'):
        parse_size(text)


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("0.0ms", 0), ("5s", 5)])
def test_a_wait_may_be_none(text, seconds):
    """What is only waited for may be nothing; all else is as for any duration."""
    assert seconds == parse_wait(text)
    with pytest.raises(ValueError, match="a bare number is no duration"):
        parse_wait("0")


@pytest.mark.parametrize("text", ["0s", "0h0m", "0.0ms", "9" * 400 + "d"])
def test_duration_is_positive_and_finite(text):
    """Nothing and forever are no durations."""
    with pytest.raises(ValueError, match=r'write for example "1s"'):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0MiB", "0.1B"])
def test_size_is_at_least_a_byte(text):
    """Nothing is no size."""
    with pytest.raises(ValueError, match=r'write for example "1MiB"'):
        parse_size(text)


@given(st.integers(1, 10**11))
def test_duration_is_read_back(milliseconds):
    """What is printed for a duration is read back as the same one, to the millisecond."""
    printed = format_duration(milliseconds / 1000)
    assert round(parse_duration(printed) * 1000) == milliseconds


@given(st.integers(1, 2**60))
def test_size_is_read_back(size):
    """What is printed for a size is read back exactly."""
    assert parse_size(format_size(size)) == size


@given(st.dictionaries(st.sampled_from(list(UNITS)), st.integers(1, 999), min_size=1))
def test_duration_is_the_sum_of_its_parts(parts):
    """Any parts in any order add up."""
    text = "".join(f"{count}{unit}" for unit, count in parts.items())
    assert parse_duration(text) == sum(count * UNITS[unit] for unit, count in parts.items())


@given(st.integers(1, 10**6), st.sampled_from(list(FACTORS)))
def test_size_is_count_times_unit(count, unit):
    """Every unit is what its name says."""
    assert parse_size(f"{count}{unit}") == count * FACTORS[unit]


@given(st.text() | st.from_regex(r"[0-9.]{1,5}[a-zA-Z]{0,3}", fullmatch=True))
def test_any_text_is_read_or_refused(text):
    """No text does anything but give a positive figure or a refusal."""
    for parse in (parse_duration, parse_size):
        try:
            assert parse(text) > 0
        except ValueError as refusal:
            assert "; write " in str(refusal)  # noqa: PT017 - most texts are refused, some are not


def test_printed_forms():
    """The shortest usual spelling is printed."""
    printed = [format_duration(s) for s in (3000, 5400, 0.25, 90, 86_400)]
    assert printed == ["50m", "1h30m", "250ms", "1m30s", "1d"]
    assert [format_size(s) for s in (67_108_864, 10**9, 1536, 7)] == ["64MiB", "1GB", "1536B", "7B"]
