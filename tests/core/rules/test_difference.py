"""Where a turn that begins anew differs: the very item, the very property, and nothing equal."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.rules.change import Change, Edit, ItemChange
from longwire.core.rules.continuity import MOST_ITEMS, Chain, Reason
from longwire.core.rules.difference import explained
from longwire.core.rules.turn import Turn
from longwire.dialects.responses.request import decode_request
from tests.core.turns import answer, chain, turn, user

TOOLS = [{"type": "function", "name": name, "parameters": {}} for name in ("read", "shell")]
SECOND = {**TOOLS[1], "description": "another of that name"}


def changed(held: Chain, now: Turn, *others: Chain, lenient: bool = True) -> str:
    fresh = explained(Reason.HISTORY_REWRITTEN, (held, *others), now, may_omit_reasoning=lenient)
    return str(fresh.change or "")


def call(number: int) -> dict[str, Any]:
    return {"type": "function_call", "call_id": f"c{number}", "name": "f", "arguments": "{}"}


def thought(number: int) -> dict[str, Any]:
    return {"type": "reasoning", "id": f"rs_{number}", "encrypted_content": f"g{number}"}


SENT = [user("a"), answer("b"), user("c"), answer("d"), user("e")]
HELD = chain(turn(*SENT), thought(1), call(1), thought(2), call(2))
REPLY = [thought(1), call(1), thought(2), call(2)]
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "done"}


@pytest.mark.parametrize(
    ("history", "text"),
    [
        ([user("A"), *SENT[1:], *REPLY, OUTPUT], "input[0] of 10: user message"),
        ([*SENT[:4], user("E"), *REPLY, OUTPUT], "input[4] of 10: user message"),
        ([*SENT[1:], *REPLY, OUTPUT], "input[0] of 9: user message removed"),
        ([*SENT[:4], *REPLY, OUTPUT], "input[4] of 9: user message removed"),
        ([user("x"), *SENT, *REPLY], "input[0] of 10: user message inserted"),
        ([*SENT[:2], call(9), *SENT[2:], *REPLY], "input[2] of 10: function_call inserted"),
        ([SENT[0], SENT[2], SENT[1], *SENT[3:]], "input[1] of 5: assistant message moved"),
        ([*SENT[:3]], "input[3] of 3: assistant message removed"),
        ([*SENT], "input[5] of 5: function_call of the reply removed"),
        (
            [*SENT, thought(1), call(9), thought(2), call(2)],
            "input[6] of 9: function_call of the reply",
        ),
        ([*SENT, thought(3), *REPLY[1:]], "input[5] of 9: reasoning of the reply"),
        ([*SENT, *REPLY[1:], OUTPUT], "input[5] of 9: reasoning of the reply removed"),
        ([*SENT, call(1), call(9), OUTPUT], "input[6] of 8: function_call of the reply"),
        ([*SENT, OUTPUT, *REPLY], "input[5] of 10: function_call_output inserted"),
        ([*SENT, *REPLY, OUTPUT], ""),
        ([*SENT, call(1), call(2), OUTPUT], ""),
    ],
)
def test_the_first_item_that_differs_is_named(history: list[dict[str, Any]], text: str) -> None:
    """By its index in the turn, its kind, whose it is, and what became of it."""
    assert text == changed(HELD, turn(*history))


def test_omitted_reasoning_counts_where_it_may_not_be_omitted() -> None:
    """Then it is the first thing that is missing."""
    now = turn(*SENT, call(1), call(2), OUTPUT)
    assert "input[5] of 8: reasoning of the reply removed" == changed(HELD, now, lenient=False)


@pytest.mark.parametrize(
    ("before", "now", "text"),
    [
        ({}, {"instructions": "x"}, "instructions added"),
        ({"instructions": "x"}, {}, "instructions removed"),
        ({"instructions": "x"}, {"instructions": "y"}, "instructions"),
        ({"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "high"}}, "reasoning.effort"),
        ({"text": {"a": 1}}, {"text": {"format": {}}}, "text.a removed, text.format added"),
        ({"tool_choice": "auto"}, {"tool_choice": {"type": "function"}}, "tool_choice"),
        ({"tools": TOOLS}, {"tools": TOOLS[::-1]}, "tools reordered"),
        ({"tools": TOOLS}, {"tools": TOOLS[:1]}, 'tools[1] "shell" removed'),
        ({"tools": TOOLS[1:]}, {"tools": TOOLS}, 'tools[0] "read" added'),
        ({"tools": TOOLS}, {"tools": [TOOLS[0], {**TOOLS[1], "strict": True}]}, 'tools[1] "shell"'),
        ({"tools": TOOLS}, {"tools": [*TOOLS, TOOLS[1]]}, 'tools[2] "shell" added'),
        ({"tools": [*TOOLS, TOOLS[1]]}, {"tools": TOOLS}, 'tools[1] "shell" removed'),
        ({"tools": TOOLS}, {"tools": [*TOOLS, SECOND]}, 'tools[2] "shell" added'),
        ({"tools": TOOLS}, {"tools": [TOOLS[0], SECOND, TOOLS[1]]}, 'tools[1] "shell" added'),
        ({"tools": [*TOOLS, SECOND]}, {"tools": TOOLS}, 'tools[2] "shell" removed'),
        (
            {"tools": TOOLS},
            {"tools": [TOOLS[0], {**TOOLS[1], "strict": True}, SECOND]},
            'tools[1] "shell", tools[2] "shell" added',
        ),
        ({"tools": TOOLS}, {"tools": []}, "tools"),
        ({"include": ["a"]}, {"include": ["b"]}, "include"),
        ({"store": False}, {"store": True}, "store"),
        ({"x": 1.5}, {"x": 1.25}, "x"),
        ({"x": {"a": 1, "b": 2}}, {"x": {"b": 2, "a": 1}}, ""),
        ({}, {"temperature": 1, "metadata": {"a": "b"}, "store": None}, ""),
    ],
)  # fmt: skip
def test_the_property_that_differs_is_named(
    before: dict[str, Any], now: dict[str, Any], text: str
) -> None:
    """By its path: what is inside an object, or which tool."""
    held = chain(turn(user("a"), **before), answer("b"))
    assert text == changed(held, turn(user("a"), answer("b"), user("c"), **now))


def test_a_member_without_one_meaning_is_named_whole() -> None:
    """A member that repeats a key equals its own bytes alone: it is named whole."""
    body = b'{"model": "m", "text": {"a": %d, "a": 2}, "input": [{"role": "user", "content": "a"}]}'
    held = chain(decode_request(body % 1))
    assert "" == changed(held, decode_request(body % 1))
    assert "text" == changed(held, decode_request(body % 3))


def test_the_nearest_history_is_compared() -> None:
    """It is the one with most in common, not the latest one."""
    near, far = chain(turn(*SENT), answer("x")), chain(turn(user("z"), model="n"), answer("y"))
    now = turn(*SENT, answer("other"), user("f"))
    expected = "input[5] of 7: assistant message of the reply"
    assert expected == changed(near, now, far) == changed(far, now, near)


@pytest.mark.parametrize("reason", list(Reason))
def test_of_a_connection_that_is_gone_nothing_is_said(reason: Reason) -> None:
    """Beside it nothing is known of what it held."""
    fresh = explained(reason, [HELD], turn(*SENT[:4], user("x"), *REPLY))
    gone = {
        Reason.CONNECTION_LOST,
        Reason.CONNECTION_EXPIRED,
        Reason.CONNECTION_EVICTED,
        Reason.UPSTREAM_FORGOT,
        Reason.SEALED_ELSEWHERE,
        Reason.REPLAYED,
    }
    if reason in gone:
        assert fresh.change is None
    if reason in {Reason.NEW_BRANCH, Reason.HISTORY_REWRITTEN, Reason.TURN_FAILED}:
        assert fresh.change is not None


def test_an_unrelated_conversation_of_an_implicit_session_is_none_that_changed() -> None:
    """Only where more than half of a history comes again, it is that history."""
    system = {"role": "system", "content": "be brief"}
    held = chain(turn(system, user("a")), answer("b"))
    other = turn(system, user("x"))
    edited = turn(system, user("a"), answer("B"), user("c"))
    assert explained(Reason.NEW_SESSION, [held], other).change is None
    expected = Change(ItemChange(2, 4, "assistant message", of_reply=True))
    assert expected == explained(Reason.NEW_SESSION, [held], edited).change


def test_behind_the_items_that_are_kept_it_is_one_of_the_later_ones() -> None:
    """Digests of so many items are kept; behind them only whether all are equal is known."""
    sent = [user(str(index)) for index in range(MOST_ITEMS + 10)]
    held = chain(turn(*sent), answer("b"))
    edited = [*sent[:-1], user("x"), answer("b"), user("c")]
    assert f"input[{MOST_ITEMS}] or later of {len(edited)}" == changed(held, turn(*edited))
    reply = [*sent, answer("B"), user("c")]
    expected = f"input[{len(sent)}] of {len(reply)}: assistant message of the reply"
    assert expected == changed(held, turn(*reply))


texts = st.text(max_size=3)
items = st.one_of(
    texts.map(user),
    texts.map(answer),
    st.integers(0, 3).map(call),
    st.integers(0, 3).map(thought),
    texts.map(lambda text: {**OUTPUT, "output": text}),
)
histories = st.lists(items, min_size=1, max_size=12)


@given(histories, st.lists(items, max_size=3), st.integers(0, 11), items)
def test_of_any_single_edit_the_first_difference_is_named(
    sent: list[dict[str, Any]], more: list[dict[str, Any]], at: int, other: dict[str, Any]
) -> None:
    """Whatever is put in the place of an item: it is named, or equal to it."""
    at %= len(sent)
    held = chain(turn(*sent), answer("the reply"))
    edited = turn(*sent[:at], other, *sent[at + 1 :], answer("the reply"), *more)
    ours, theirs = (each.history.canonical_items() for each in (turn(*sent), edited))
    differs = ours[at].sent != theirs[at].sent
    change = explained(Reason.HISTORY_REWRITTEN, [held], edited).change
    assert differs == (change is not None)
    if change is not None and change.item is not None:
        assert (at, len(sent) + 1 + len(more)) == (change.item.index, change.item.count)


@given(histories, st.integers(0, 11), items)
def test_whatever_comes_in_or_goes_the_first_difference_is_named(
    sent: list[dict[str, Any]], at: int, other: dict[str, Any]
) -> None:
    """Of an item that was put in or left out, too, it is the first place that differs."""
    at %= len(sent)
    held = chain(turn(*sent), answer("the reply"))
    for edited in ([*sent[:at], other, *sent[at:]], [*sent[:at], *sent[at + 1 :]]):
        now = turn(*edited, answer("the reply"), user("more"))
        ours = [each.sent for each in turn(*sent).history.canonical_items()]
        theirs = [each.sent for each in now.history.canonical_items()]
        first = next((i for i, each in enumerate(ours) if theirs[i : i + 1] != [each]), None)
        change = explained(Reason.HISTORY_REWRITTEN, [held], now).change
        if first is not None:
            assert change is not None
            assert change.item is not None
            assert first == change.item.index


members = st.dictionaries(
    st.sampled_from(["instructions", "reasoning", "text", "tools", "store", "x"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda value: st.lists(value, max_size=2) | st.dictionaries(texts, value, max_size=2),
        max_leaves=5,
    ),
)


@given(members, members)
def test_properties_are_named_exactly_where_they_differ(
    before: dict[str, Any], now: dict[str, Any]
) -> None:
    """Equal ones are never named, and of different ones at least one is."""
    held = chain(turn(user("a"), **before), answer("b"))
    text = changed(held, turn(user("a"), answer("b"), user("c"), **now))
    ours, theirs = (
        {k: json.dumps(v, sort_keys=True) for k, v in each.items() if v is not None}
        for each in (before, now)
    )
    assert (ours != theirs) == bool(text)
    differing = {name for name in ours | theirs if ours.get(name) != theirs.get(name)}
    if len(text) < 100:
        for name in set(ours) - differing:
            assert not any(part.strip().startswith(name) for part in text.split(","))


def test_an_edit_has_one_word() -> None:
    """Of what was changed in its place nothing more is to be said."""
    assert ["", "inserted", "removed", "moved"] == list(Edit)
