"""The oracle sees what a model sees: no more, no less."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longwire.emulator import digest

FIXTURES = Path(__file__).parents[1] / "fixtures" / "client-replays.json"
texts = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(texts, values, max_size=4)


@st.composite
def histories(draw):
    """A tool turn with every kind of item that clients re-spell."""
    return [
        {"type": "message", "role": "user", "content": draw(texts)},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": draw(texts) + "e"},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "content": [{"type": "output_text", "text": draw(texts), "annotations": []}],
        },
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "read",
            "arguments": json.dumps(draw(arguments)),
        },
        {"type": "function_call_output", "call_id": "call_1", "output": draw(texts)},
    ]


def reversed_keys(item):
    return dict(reversed(item.items()))


RESPELLINGS = {
    "ids dropped": lambda item: {k: v for k, v in item.items() if k != "id"},
    "other ids": lambda item: item | {"id": "other"},
    "status added": lambda item: item | {"status": "completed"},
    "phase added": lambda item: item | {"phase": "commentary"},
    "nulls added": lambda item: item | {"async_": None, "namespace": None, "caller": None},
    "passthrough added": lambda item: (
        item | {"internal_chat_message_metadata_passthrough": {"turn_id": "1"}}
    ),
    "keys reordered": reversed_keys,
    "message type dropped": lambda item: (
        {k: v for k, v in item.items() if k != "type" or v != "message"}
    ),
    "one part as string": lambda item: (
        item | {"content": item["content"][0]["text"]}
        if isinstance(item.get("content"), list) and item["content"]
        else item
    ),
    "string as one part": lambda item: (
        item | {"content": [{"type": "input_text", "text": item["content"]}]}
        if isinstance(item.get("content"), str)
        else item
    ),
    "output as one part": lambda item: (
        item | {"output": [{"type": "input_text", "text": item["output"]}]}
        if "output" in item
        else item
    ),
    "arguments spaced": lambda item: (
        item | {"arguments": json.dumps(json.loads(item["arguments"]), indent=2)}
        if "arguments" in item
        else item
    ),
    "arguments unescaped": lambda item: (
        item | {"arguments": json.dumps(json.loads(item["arguments"]), ensure_ascii=False)}
        if "arguments" in item
        else item
    ),
    "arguments reordered": lambda item: (
        item | {"arguments": json.dumps(reversed_keys(json.loads(item["arguments"])))}
        if "arguments" in item
        else item
    ),
    "annotations and logprobs": lambda item: (
        item | {"content": [item["content"][0] | {"logprobs": [], "annotations": [{"a": 1}]}]}
        if isinstance(item.get("content"), list) and item["content"]
        else item
    ),
}


@pytest.mark.parametrize("respell", RESPELLINGS.values(), ids=RESPELLINGS)
@settings(max_examples=25, deadline=None)
@given(history=histories())
def test_respelling_keeps_the_digest(respell, history):
    """No way in which clients re-spell an item changes what the model sees."""
    assert digest(history) == digest([respell(item) for item in history])


def edit(member, value):
    def apply(history, index):
        history[index][member] = value(history[index][member])

    return apply


def longer(text):
    return text + "!"


def other_number(text):
    return json.dumps(json.loads(text) | {"n": 1})


def number_spelling(text):
    return other_number(text).replace('"n": 1', '"n": 1.0')


def other_part(parts):
    return [parts[0] | {"text": parts[0]["text"] + " "}]


EDITS = {
    "user text": (0, edit("content", longer)),
    "user role": (0, edit("role", lambda _: "developer")),
    "reasoning": (1, edit("encrypted_content", longer)),
    "assistant text": (2, edit("content", other_part)),
    "part split": (2, edit("content", lambda parts: [*parts, {"type": "output_text", "text": ""}])),
    "call id": (3, edit("call_id", longer)),
    "tool name": (3, edit("name", longer)),
    "argument": (3, edit("arguments", other_number)),
    "arguments broken": (3, edit("arguments", longer)),
    "output": (4, edit("output", longer)),
    "output's call": (4, edit("call_id", longer)),
    "unknown field": (4, lambda history, index: history[index].update(novelty=1)),
    "dropped": (2, lambda history, index: history.pop(index)),
    "repeated": (2, lambda history, index: history.insert(index, history[index])),
    "swapped": (1, lambda history, index: history.insert(index + 1, history.pop(index))),
}


@pytest.mark.parametrize(("index", "change"), EDITS.values(), ids=EDITS)
@settings(max_examples=25, deadline=None)
@given(history=histories())
def test_edit_changes_the_digest(index, change, history):
    """Every change that a model could notice changes the digest."""
    edited = copy.deepcopy(history)
    change(edited, index)
    assert digest(history) != digest(edited)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "1.0"), ("1.0", "1.00"), ("1e2", "100"), ("-0", "0"), ("15e-1", "1.50")],
)
def test_argument_numbers_count_by_their_value(one, other):
    """Two spellings of a number in arguments are one, for clients write them again."""
    call = {"type": "function_call", "call_id": "c", "name": "f"}
    first, second = ([call | {"arguments": f'{{"n": {text}}}'}] for text in (one, other))
    assert digest(first) == digest(second)


@pytest.mark.parametrize(
    ("one", "other"),
    [('"1"', "1"), ("null", "0"), ("-1", "1"), ("0.1", "0.10000000000000000555"), ("10", "1")],
)
def test_other_arguments_are_told_apart(one, other):
    """What looks alike, or is one float, is another argument."""
    call = {"type": "function_call", "call_id": "c", "name": "f"}
    first, second = ([call | {"arguments": f'{{"n": {text}}}'}] for text in (one, other))
    assert digest(first) != digest(second)


@pytest.mark.parametrize("text", ["", "{", '{"a":1,"a":2}', '{"a":NaN}', '"\\ud800"', "[" * 5000])
def test_arguments_that_are_no_clean_json_count_as_text(text):
    """Arguments with no one meaning are compared letter by letter."""
    call = {"type": "function_call", "call_id": "c", "name": "f"}
    first, second = ([call | {"arguments": spelled}] for spelled in (text, text + " "))
    assert digest(first) != digest(second)


def test_reference_stands_for_its_item():
    """An item_reference that is known counts as the item it names, else by its id."""
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"}
    reference = [{"type": "item_reference", "id": "rs_1"}]
    assert digest([item]) == digest(reference, {"rs_1": item})
    assert digest([item]) != digest(reference)
    assert digest(reference) != digest([{"type": "item_reference", "id": "rs_2"}])


def test_string_input_is_one_user_message():
    """A string as input is one user message."""
    assert digest("hi") == digest([{"type": "message", "role": "user", "content": "hi"}])


def test_fields_inside_tools_count():
    """Inside a tool's schema nothing is a droppable id or status."""
    tool = {"type": "function", "name": "f", "parameters": {"properties": {"id": None}}}
    other = {"type": "function", "name": "f", "parameters": {"properties": {}}}
    first, second = ([{"type": "additional_tools", "tools": [t]}] for t in (tool, other))
    assert digest(first) != digest(second)


def test_recorded_clients_keep_the_digest():
    """What unmodified clients replay is what they were given, for those that drop no item."""
    lossy, compared = [], 0
    for record in json.loads(FIXTURES.read_text(encoding="utf-8")):
        known = {}
        for n, output in enumerate(record["responses"][: len(record["bodies"]) - 1]):
            before, after = record["bodies"][n], record["bodies"][n + 1]
            known |= {item["id"]: item for item in output if item.get("id")}
            whole = [*before["input"], *output]
            if after.get("previous_response_id") or len(after["input"]) < len(whole):
                continue
            compared += 1
            if digest(whole, known) != digest(after["input"][: len(whole)], known):
                lossy.append(record["client"])
    assert lossy == []
    assert compared >= 10
