"""The input of a turn: split, marked, digested, and sent on as its own bytes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import InvalidRequest
from longwire.core.rules.turn import PrefixMark
from longwire.dialects.responses.history import InputHistory

texts = st.lists(st.text(), max_size=6)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:  ")])


def raw(texts: list[str], separators: tuple[str, str] = (",", ":")) -> bytes:
    items = [{"role": "user", "content": text} for text in texts]
    return json.dumps(items, separators=separators, ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def mark_of(history: InputHistory) -> PrefixMark:
    mark = history.mark()
    assert mark is not None
    return mark


@given(texts, texts, separators)
def test_a_marked_input_is_found_at_the_head_of_a_longer_one(
    old: list[str], new: list[str], separators: tuple[str, str]
) -> None:
    """And the items behind it are the new ones."""
    mark = mark_of(InputHistory(raw(old, separators)))
    following = InputHistory(raw(old + new, separators)).after(mark)
    assert InputHistory(raw(new)).canonical_items() == following


@given(texts, texts)
def test_a_mark_is_found_only_where_the_bytes_are_equal(old: list[str], other: list[str]) -> None:
    """A digest over the prefix stands for the prefix."""
    mark = mark_of(InputHistory(raw(old)))
    history = InputHistory(raw(other))
    assert (other[: len(old)] == old) == (history.after(mark) is not None)


def test_a_prefix_of_bytes_must_end_where_an_item_ends() -> None:
    """`[1` is no head of `[12`, though its bytes are."""
    mark = mark_of(InputHistory(b"[1"[:2] + b"]"))
    assert InputHistory(b"[12]").after(mark) is None


@given(texts, st.integers(0, 6))
def test_a_suffix_is_the_items_own_bytes(texts: list[str], start: int) -> None:
    """Nothing is decoded and encoded again."""
    odd = [b'{"a" : 1.50, "b":"\\u00e9"}', b'{"n":123456789012345678901234567890}']
    whole = [*odd, *(json.dumps(text).encode() for text in texts)]
    history = InputHistory(b"[" + b" , ".join(whole) + b"]")
    assert b"[" + b",".join(whole[start:]) + b"]" == history.suffix(start)


def test_a_suffix_behind_a_mark_is_the_same_bytes() -> None:
    """The split that a mark saved gives the same suffix as the whole split."""
    mark = mark_of(InputHistory(raw(["a", "b"])))
    history = InputHistory(raw(["a", "b", "c", "d"]))
    assert history.after(mark) is not None
    assert [raw(["d"]), raw(["b", "c", "d"])] == [history.suffix(3), history.suffix(1)]
    assert 4 == len(history)


@given(texts, st.integers(0, 6))
def test_a_chain_digest_can_be_carried_on(texts: list[str], start: int) -> None:
    """Extending the digest of the first items equals digesting all."""
    start = min(start, len(texts))
    history = InputHistory(raw(texts))
    assert history.digest(len(texts)) == history.extend(
        history.digest(start), history.canonical_items(start)
    )


def test_digests_of_several_marks_are_taken_in_one_pass_and_in_any_order() -> None:
    """Candidates come shortest first; another order gives the same answers."""
    marks = [mark_of(InputHistory(raw(["a"] * count))) for count in range(5)]
    history = InputHistory(raw(["a"] * 5))
    behind = [len(history.after(mark) or ()) for mark in (*marks, *reversed(marks))]
    assert [5, 4, 3, 2, 1, 1, 2, 3, 4, 5] == behind


@pytest.mark.parametrize("item", [b'{"a":1,"a":1}', b"17", b'["x"]'])
def test_an_item_without_one_meaning_equals_only_its_own_bytes(item: bytes) -> None:
    """Such items ride through, and are never brought to equality with another spelling."""
    spaced = item.replace(b":", b": ").replace(b"x", b"x ").replace(b"17", b"17.0")
    one, same, other = (InputHistory(b"[" + text + b"]") for text in (item, item, spaced))
    assert one.canonical_items() == same.canonical_items()
    assert one.canonical_items() != other.canonical_items()


def test_a_text_input_is_one_message() -> None:
    """With the meaning of a user message, and sent as the text it is."""
    history = InputHistory(b'"hi"')
    assert InputHistory(raw(["hi"])).canonical_items() == history.canonical_items()
    assert (1, None, b'"hi"') == (len(history), history.mark(), history.suffix(0))


def test_no_input_is_no_item() -> None:
    """A prompt template may need none."""
    history = InputHistory(None)
    assert (0, [], None) == (len(history), history.canonical_items(), history.mark())


@pytest.mark.parametrize("wrong", [b"1", b"{}", b"true"])
def test_another_type_is_refused(wrong: bytes) -> None:
    """The field is named."""
    with pytest.raises(InvalidRequest) as refused:
        InputHistory(wrong)
    assert "input" == refused.value.param


@pytest.mark.parametrize(
    ("item", "has_ids"),
    [
        ({"role": "user", "content": "a"}, False),
        ({"type": "function_call_output", "id": "fco_1", "call_id": "c", "output": ""}, True),
        ({"type": "item_reference", "id": "msg_1"}, True),
        ({"type": "future", "id": "x"}, True),
        ({"type": "message", "id": None, "role": "user", "content": "a"}, False),
    ],
)
def test_ids_that_a_socket_may_hold_are_seen(item: dict[str, Any], has_ids: bool) -> None:
    """Any item that carries an id counts, whoever chose the id."""
    history = InputHistory(json.dumps([item]).encode())
    assert has_ids == history.has_ids


halves = st.lists(st.sampled_from(["a", "\\", '"', "😀", "\ud83d", "\ude00"]), max_size=4).map(
    "".join
)


def said(texts: list[str], separators: tuple[str, str] = (",", ":")) -> bytes:
    """Questions and outputs as JSON, each half of an emoji by its escape."""
    items = [
        {"type": "function_call_output", "call_id": text, "output": [{"text": text}]}
        if number % 2
        else {"role": "user", "content": text}
        for number, text in enumerate(texts)
    ]
    return json.dumps(items, separators=separators).encode()


@given(st.lists(halves, max_size=5), separators, st.integers(0, 5))
def test_halves_of_an_emoji_change_no_rule(
    texts: list[str], separators: tuple[str, str], start: int
) -> None:
    """A text that was cut inside one is known again however it is spelled, and travels as it is."""
    history, other = InputHistory(said(texts, separators)), InputHistory(said(texts))
    for one, same in zip(history.canonical_items(), other.canonical_items(), strict=True):
        assert (one.sent, one.core, one.optional) == (same.sent, same.core, same.optional)
    assert json.loads(said(texts))[start:] == json.loads(history.suffix(min(start, len(texts))))
    following = InputHistory(said([*texts, "new", "\ud83d"], separators)).after(mark_of(history))
    assert following is not None
    assert 2 == len(following)


@given(st.lists(halves, min_size=1, max_size=4), halves)
def test_another_half_is_another_text(texts: list[str], other: str) -> None:
    """Equal digests mean equal texts, halves of an emoji included."""
    changed = [*texts[:-1], other]
    same = json.loads(said(texts)) == json.loads(said(changed))
    assert same == (
        InputHistory(said(texts)).digest(len(texts))
        == InputHistory(said(changed)).digest(len(texts))
    )
