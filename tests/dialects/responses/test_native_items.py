"""Items that an upstream does not take: what they say stands in the members, and is stable."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.rules.continuity import AsGiven
from longwire.core.rules.turn import Turn
from longwire.dialects.responses.call import encode_create
from longwire.dialects.responses.native_items import without_items
from longwire.dialects.responses.request import decode_request

BOTH = ("additional_tools", "configuration_update")
USER = {"role": "user", "content": 'an "additional_tools" of mine'}
MORE = {"role": "user", "content": "more"}
READ, WRITE = ({"type": "function", "name": name} for name in ("read", "write"))


def tools(*entries):
    return {"type": "additional_tools", "role": "developer", "tools": [*entries]}


def update(**members):
    return {"type": "configuration_update", **members}


def turn_of(items, **members) -> Turn:
    """The turn of a body."""
    return decode_request(json.dumps({"model": "m", "input": items, **members}).encode())


def sent(turn: Turn) -> dict:
    """A turn as it goes upstream in full."""
    return json.loads(encode_create(turn, AsGiven()))


HIGH, LOW = ({"effort": effort} for effort in ("high", "low"))
SCHEMA = {"type": "json_schema", "name": "a", "schema": {}}
ADAPTED = {
    "tools": ([USER, tools(READ), MORE], {}, {"tools": [READ]}),
    "behind those there are": ([USER, tools(READ)], {"tools": [WRITE]}, {"tools": [WRITE, READ]}),
    "once": ([tools(READ), tools(WRITE, READ), USER], {"tools": [READ]}, {"tools": [READ, WRITE]}),
    "null tools": ([tools(READ), USER], {"tools": None}, {"tools": [READ]}),
    "the last effort": (
        [update(reasoning=LOW), USER, update(reasoning=HIGH), MORE],
        {"reasoning": {"summary": "auto", "effort": "medium"}},
        {"reasoning": {"summary": "auto", "effort": "high"}},
    ),
    "a format": (
        [USER, update(text={"format": SCHEMA})],
        {"text": {"verbosity": "low"}},
        {"text": {"verbosity": "low", "format": SCHEMA}},
    ),
    "where none was": ([USER, update(reasoning=HIGH, text=None)], {}, {"reasoning": HIGH}),
}  # fmt: skip


@pytest.mark.parametrize(("items", "members", "expected"), ADAPTED.values(), ids=ADAPTED)
def test_what_an_item_says_goes_into_the_members(items, members, expected):
    """The item is left out, all others stay as they are, and so do other members."""
    left = [item for item in items if item.get("type") not in BOTH]
    frame = {"type": "response.create", "model": "m", **members, **expected, "input": left}
    assert frame == sent(without_items(turn_of(items, **members), BOTH))


def test_bytes_are_golden():
    """Tools and items keep their spelling; nothing stands between items but a comma."""
    body = (
        b'{"model":"m","tools":[{"name": "a", "x":1.50}],'
        b'"input":[{"role":"user", "content":"\\u00e9"},'
        b' {"type":"additional_tools","tools":[{"name":"b" ,"n":1e2}]}, {"role":"user"}]}'
    )
    expected = (
        b'{"type":"response.create","model":"m",'
        b'"tools":[{"name": "a", "x":1.50},{"name":"b" ,"n":1e2}],'
        b'"input":[{"role":"user", "content":"\\u00e9"},{"role":"user"}]}'
    )
    assert expected == encode_create(without_items(decode_request(body), BOTH), AsGiven())


ASIDE = {
    "no such item": ([USER, MORE], {}),
    "a text": ("additional_tools", {}),
    "a part of another's history": ([tools(READ), USER], {"previous_response_id": "resp_1"}),
    "a conversation": ([tools(READ), USER], {"conversation": "conv_1"}),
    "tools that are none": ([{"type": "additional_tools", "tools": 7}, USER], {}),
    "an effort that is none": ([update(reasoning="high"), USER], {}),
    "a body whose tools are none": ([tools(READ), USER], {"tools": {}}),
    "a type that is none": ([{"type": ["additional_tools"]}, USER], {}),
}


@pytest.mark.parametrize(("items", "members"), ASIDE.values(), ids=ASIDE)
def test_anything_else_is_the_very_same_turn(items, members):
    """What holds no such item, cannot repeat it later or is malformed goes on as it came."""
    turn = turn_of(items, **members)
    assert turn is without_items(turn, BOTH)


def test_an_item_that_is_taken_stays():
    """Only the types that are named are left out."""
    turn = without_items(turn_of([tools(READ), update(reasoning=HIGH), USER]), BOTH[1:])
    assert ([tools(READ), USER], HIGH) == (sent(turn)["input"], sent(turn)["reasoning"])


def test_updates_that_come_to_stand_side_by_side_are_one():
    """Two adjacent ones are refused, so the later one is put into the one before."""
    items = [USER, update(reasoning=LOW), tools(READ), update(reasoning=HIGH, text={})]
    turn = without_items(turn_of(items), BOTH[:1])
    assert [USER, update(reasoning=HIGH, text={})] == sent(turn)["input"]


SPECIAL = st.sampled_from(
    [tools(READ), tools(WRITE), update(reasoning=HIGH), update(reasoning=LOW)]
)
PLAIN = st.sampled_from([USER, MORE, {"role": "assistant", "content": "ho"}])


@given(st.lists(SPECIAL | PLAIN, min_size=1), st.lists(PLAIN))
def test_what_was_sent_begins_what_is_sent_next(items, following):
    """With plain items behind it the properties stay equal, and the input goes on from its mark."""
    first = without_items(turn_of(items), BOTH)
    second = without_items(turn_of([*items, *following]), BOTH)
    assert first.properties.raw == second.properties.raw
    mark = first.history.mark()
    assert mark is not None
    assert len(following) == len(second.history.after(mark) or ())
    assert len(first.history) + len(following) == len(second.history)


@given(st.lists(SPECIAL | PLAIN))
def test_it_is_a_function_of_the_turn(items):
    """The same turn gives the same bytes, and what was adapted once stays as it is."""
    frames = [encode_create(without_items(turn_of(items), BOTH), AsGiven()) for _ in range(2)]
    assert frames[0] == frames[1]
    adapted = without_items(turn_of(items), BOTH)
    assert adapted is without_items(adapted, BOTH)


@given(st.lists(PLAIN, min_size=1), st.sampled_from([tools(READ), update(reasoning=HIGH)]))
def test_an_item_in_between_changes_the_properties(items, item):
    """That costs one fresh turn, and no wrong continuation."""
    before = without_items(turn_of(items), BOTH)
    after = without_items(turn_of([*items, item, MORE]), BOTH)
    assert before.properties.canonical != after.properties.canonical
