"""Turns without what nobody can read: the readable items stay, byte for byte and in order."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.dialects.responses.request import decode_request
from longwire.dialects.responses.sealed import last_sealed, without_sealed

READABLE = st.integers(0, 9).map(lambda n: {"role": "user", "content": f"text {n} ü"})
SUMMARIES = st.sampled_from([[], [{"type": "summary_text", "text": "half an emoji \ud83d"}]])
SEALED = st.builds(
    lambda text, summary: {
        "type": "reasoning",
        "id": "rs_1",
        "summary": summary,
        "encrypted_content": text,
    },
    st.text(min_size=1),
    SUMMARIES,
)
ITEMS = st.lists(st.one_of(READABLE, SEALED), max_size=8)


def turn(items, **members):
    return decode_request(json.dumps({"model": "m", "input": items, **members}).encode())


def is_sealed(item):
    return "encrypted_content" in item


@given(ITEMS, ITEMS)
def test_all_up_to_the_end_is_left_out_and_nothing_else(before, after):
    """What was unreadable once stays out; what was sealed since then is sent."""
    end = last_sealed(turn(before))
    sent = without_sealed(turn(before + after), [end] if end else [])
    known = {item["encrypted_content"] for item in before if is_sealed(item)}
    again = [item for item in after if item.get("encrypted_content") in known]
    expected = [item for item in before if not is_sealed(item)] + after
    if not again:  # the same content once more is the same end, further on
        assert expected == json.loads(sent.input)


def test_what_came_with_left_out_reasoning_has_no_id():
    """Both or neither, to the end of its answer; a reference stays one, and so do later ids."""
    sealed = {"type": "reasoning", "id": "rs_1", "encrypted_content": "a"}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "content": "é"}
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "1"}
    reference, question = {"type": "item_reference", "id": "fc_2"}, {"role": "user", "content": "a"}
    answer = [message, reference, sealed, message | {"id": "msg_2"}, call, output]
    later = [question, sealed | {"encrypted_content": "b"}, message | {"id": "msg_3"}]
    sent = without_sealed(turn(answer + later), [last_sealed(turn(answer))])
    bare = [{k: v for k, v in item.items() if k != "id"} for item in (message, call)]
    expected = [bare[0], reference, bare[0], bare[1], output, *later]
    assert expected == json.loads(sent.input)


@given(ITEMS, ITEMS)
def test_a_longer_turn_begins_with_what_was_sent(before, after):
    """So that it continues: its digest over the first items is that of the turn before."""
    end = last_sealed(turn(before))
    if end is None or last_sealed(turn(after)) is not None:
        return
    short, long = (without_sealed(turn(items), [end]) for items in (before, before + after))
    count = len(short.history)
    assert short.history.digest(count) == long.history.digest(count)
    mark = short.history.mark()
    assert len(after) == len(long.history.after(mark))


@pytest.mark.parametrize(
    "items",
    [
        'a text with "encrypted_content" in it',
        [{"role": "user", "content": 'about "encrypted_content": "gAAA"'}],
        [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None}],
        [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": ""}],
        [{"type": "unknown", "encrypted_content": {"parts": []}}],
        [],
    ],
)
def test_what_everybody_can_read_is_not_sealed(items):
    """A mention, a null and an unknown shape stay as they are."""
    sent = turn(items)
    assert last_sealed(sent) is None
    assert without_sealed(sent, [b"end"]) is sent


def test_a_turn_without_an_input_has_none():
    """It names a response, and brings nothing."""
    sent = decode_request(b'{"model":"m","previous_response_id":"resp_1"}')
    assert last_sealed(sent) is None
    assert without_sealed(sent, [b"end"]) is sent
