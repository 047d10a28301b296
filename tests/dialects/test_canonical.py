"""One spelling for equal JSON, and only for equal JSON."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.dialects.canonical import AmbiguousJson, decode, decode_values, digest, digest_bytes

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


def same(one: str, other: str) -> bool:
    return digest(decode(one)) == digest(decode(other))


@given(values)
def test_spelling_does_not_count(value: Any) -> None:
    """Key order, whitespace and escapes make no difference."""
    shuffled = json.dumps(_reversed(value), indent=2, ensure_ascii=False)
    assert same(json.dumps(value), shuffled)


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return [_reversed(member) for member in value] if isinstance(value, list) else value


@given(values, values)
def test_different_values_differ(one: Any, other: Any) -> None:
    """Equal digests only for values that are equal down to their numbers' digits."""
    assert (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)) == same(
        json.dumps(one), json.dumps(other)
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("1.0", "1.00"),
        ("1e2", "100"),
        ("18446744073709551616", "18446744073709551617"),
        ("0.1000000000000000055511151231257827", "0.1"),
        ("123456789012345678901234567890", "123456789012345678901234567891"),
        ("-0", "0"),
        ("9" * 5000, "9" * 4999 + "8"),
        ('{"#":"1.5"}', "1.5"),
        ('{"##":"1.5"}', '{"#":"1.5"}'),
        ("true", "1"),
        ("null", '"null"'),
        ('"\\ud800"', '"\\ud801"'),
        ('"\\ud800"', '"\\\\ud800"'),
        ("[[],[]]", "[[[]]]"),
    ],
)
def test_look_alikes_differ(one: str, other: str) -> None:
    """Numbers count by their digits, and nothing collides with their form."""
    assert not same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.50", "1.5"),
        ("15e-1", "1.5"),
        ("1.0", "1"),
        ("1e2", "100"),
        ("-0.0", "0"),
        ("-2.50E+1", "-25"),
        ("0.1e30", "100000000000000000000000000000"),
        ("0e999999999999999999999", "0e999999999999999999999"),
    ],
)
def test_by_value_spellings_of_a_number_are_one(one: str, other: str) -> None:
    """However it is written, a number is its exact decimal value."""
    assert digest(decode_values(one)) == digest(decode_values(other))


@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(0, 40))
def test_by_value_a_number_is_no_other(number: Decimal, places: int) -> None:
    """Zeros behind it are nothing; the least digit is another number, which no float would tell."""
    text = format(number, "f")
    point = "" if "." in text else "."
    zeros = text + point + "0" * (places + 1)
    assert digest(decode_values(text)) == digest(decode_values(zeros))
    assert digest(decode_values(text)) != digest(decode_values(zeros + "1"))


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', '[{"a":1,"\\u0061":2}]', "NaN", "[Infinity]", "", "{", "[" * 100_000]
)
def test_text_without_one_meaning_is_refused(text: str) -> None:
    """A repeated key, a constant that is no JSON, a torn or bottomless text."""
    with pytest.raises(AmbiguousJson):
        decode(text)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_digits(number: Decimal) -> None:
    """Whatever the digits, they are told apart from one digit more."""
    text = format(number, "f")
    longer = text + ("1" if "." in text else ".1")
    assert not same(text, longer)


def test_byte_strings_are_kept_apart() -> None:
    """The lengths count, so that parts cannot run into each other."""
    assert digest_bytes(b"ab", b"c") != digest_bytes(b"a", b"bc")
