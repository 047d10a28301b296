"""Objects and arrays split and spliced: what nobody acts on keeps its spelling."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import InvalidRequest
from longwire.dialects.raw_json import (
    boolean_of,
    decode_members,
    splice,
    splice_items,
    split_items,
    split_members,
    text_of,
    tolerant,
)

ODD = b'{"n":123456789012345678901234567890, "f":1.500,"s":"\\u00e9\\/"}'
values = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.lists(st.text())
objects = st.dictionaries(st.text(max_size=4), values, max_size=5)


@given(objects)
def test_a_body_is_split_into_its_members(members):
    """Each with its name as decoded, and its value as written."""
    assert members == {
        name: json.loads(raw) for name, raw in decode_members(json.dumps(members).encode()).items()
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"null",
        b"[]",
        b'"text"',
        b'{"a":1',
        b'{"a":1}{}',
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b'{"a":"\xe2\x82"}',
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_a_body_that_is_no_object_is_refused(body):
    """Of a body that cannot be split no member is to blame."""
    with pytest.raises(InvalidRequest) as refused:
        decode_members(body)
    assert refused.value.param is None


PIECES = ["a", '"', "\\", "\\u", "u", "/", "\n", "é", "😀", "\ud83d", "\ude00", "\udbff", "\udc00"]
halves = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
trees = st.recursive(
    halves | st.none() | st.integers(),
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(halves, deeper, max_size=3),
    max_leaves=8,
)
spellings = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:  ")])


def spelled(value, separators) -> bytes:
    """JSON that a client may write, each half of an emoji by its escape."""
    return json.dumps(value, separators=separators).encode()


@given(st.dictionaries(st.text(max_size=4), trees, max_size=4), spellings)
def test_halves_of_an_emoji_stay_in_their_members(members, separators):
    """Wherever they are, each value is the very bytes between its name and the next."""
    expected = {name: spelled(value, separators) for name, value in members.items()}
    assert expected == decode_members(spelled(members, separators))


@given(st.lists(trees, max_size=4), spellings)
def test_halves_of_an_emoji_stay_in_their_items(items, separators):
    """An array is split at its commas, and at none that stands in a text."""
    expected = [spelled(item, separators) for item in items]
    assert expected == [bytes(item) for item in split_items(spelled(items, separators))]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"\\ud83d":1}', "The name of the member"),
        (b'{"a":"\\ud83d","\\ude00 b":1}', "The name of the member"),
        (b'{"a":"\\ud83d","a":1}', "repeats the member 'a'"),
        ('{"a":1}'.encode("utf-16"), "byte-order mark of UTF-16"),
        (b'\xff\xfe{"a":1}', "byte-order mark of UTF-16"),
        (b"\xef\xbb\xbf", "is empty"),
    ],
)
def test_what_is_odd_and_not_to_be_served_is_named(body, words):
    """The refusal says which oddity it is, and not where some parser stopped."""
    with pytest.raises(InvalidRequest, match=words):
        decode_members(body)


def test_a_member_that_the_gateway_acts_on_is_whole():
    """Half an emoji in it is refused by the member's name, not as some other type."""
    members = decode_members(b'{"model":"\\ud83d"}')
    with pytest.raises(InvalidRequest, match="'model' has half an emoji") as refused:
        text_of(members, "model")
    assert "model" == refused.value.param


def test_a_byte_order_mark_is_passed_over():
    """Some editors and shells write one before JSON."""
    assert {"a": b'"\xef\xbb\xbf"'} == decode_members(b'\xef\xbb\xbf{"a":"\xef\xbb\xbf"}')


@pytest.mark.parametrize("body", [b'{"x":1,"x":1}', b'{"x":1,"\\u0078":2}'])
def test_a_repeated_member_is_refused(body):
    """Which of the two was meant is not for the gateway to say."""
    with pytest.raises(InvalidRequest) as refused:
        decode_members(body)
    assert "x" == refused.value.param


def test_typed_members():
    """A member of another type is refused by its name; null and absence are the same."""
    members = {"text": b'"a"', "flag": b"true", "null": b"null", "number": b"1"}
    assert ["a", None, None] == [text_of(members, name) for name in ("text", "null", "none")]
    assert [True, False, False] == [boolean_of(members, name) for name in ("flag", "null", "none")]
    for read in (text_of, boolean_of):
        with pytest.raises(InvalidRequest) as refused:
            read(members, "number")
        assert "number" == refused.value.param


@given(objects, st.text(max_size=4).filter(lambda name: name != "odd"))
def test_a_spliced_object_keeps_all_else(members, name):
    """One member is replaced or added, or taken away; the others keep their bytes."""
    raw = b'{"odd": ' + ODD + b", " + json.dumps(members).encode()[1:] if members else ODD
    others = {other: bytes(raw) for other, raw in split_members(raw).items() if other != name}
    for value, expected in ((b"1.50", {**others, name: b"1.50"}), (None, others)):
        spliced = split_members(splice(raw, {name: value}))
        assert expected == {name: bytes(raw) for name, raw in spliced.items()}


@given(st.lists(st.sampled_from([ODD, b'"x"', b"1.50", b"[ ]"])), st.sampled_from([b"", b" \n"]))
def test_spliced_items_stand_where_they_stood(items, gap):
    """The bytes between items stay; where no item changes the array is the very same."""

    def array(items):
        return b"[" + gap + (gap + b"," + gap).join(items) + gap + b"]"

    def change(item):
        return b"null" if item == b"1.50" else item

    assert array(map(change, items)) == splice_items(array(items), change)
    raw = array(items)
    assert splice_items(raw, lambda item: item) is raw


HALVES = st.sampled_from(
    [
        b'"a\\ud83d"',
        b'"\\ude00"',
        b'"\\ud83d\\ude00"',
        b'"\\\\ud83d"',
        b'"\\ufffd"',
        b'[{"\\uD83D":1}]',
    ]
)


@given(st.lists(HALVES), st.sampled_from([b"", b" \n"]))
def test_half_an_emoji_keeps_its_bytes(values, gap):
    """It is no text, yet JSON: an array and an object are split around it."""
    array = b"[" + gap + (gap + b"," + gap).join(values) + gap + b"]"
    assert values == [bytes(item) for item in split_items(array)]
    names = [b'"%d\\ud83d"' % number for number in range(len(values))]
    pairs = (name + gap + b":" + gap + value for name, value in zip(names, values, strict=True))
    members = split_members(b"{" + (gap + b"," + gap).join(pairs) + gap + b"}")
    assert values == [bytes(member) for member in members.values()]


def test_half_an_emoji_is_read_as_a_replacement():
    """Everything else is read as it is, and what is no JSON at all stays refused."""
    read = tolerant(msgspec.json.Decoder(list[str]).decode)
    expected = ["a\N{REPLACEMENT CHARACTER}", "\N{GRINNING FACE}", "\\ud83d"]
    assert expected == read(b'["a\\ud83d","\\ud83d\\ude00","\\\\ud83d"]')
    for wrong in (b'["\\ud83d"', b'["\\ud83d",1]', b"["):
        with pytest.raises(msgspec.MsgspecError):
            read(wrong)


@pytest.mark.parametrize("raw", [b"", b"[]", b"1", b'{"a":1'])
def test_what_is_no_object_cannot_be_spliced(raw):
    """It is no request's fault, so the error is the decoder's."""
    with pytest.raises(msgspec.MsgspecError):
        splice(raw, {})
