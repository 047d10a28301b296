"""Messages as items: what each kind and part becomes."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming._deltas import accumulate_delta

from longwire.core.errors import InvalidRequest
from longwire.dialects.chat_completions.details import details_of
from longwire.dialects.chat_completions.request import decode_request
from longwire.dialects.seals import Seal, sealed
from tests.dialects.chat_completions.answers import HIDING, QUESTION, Item, body, items_of, turn_of
from tests.dialects.refusals import sayable

CALL = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"n": 1.50}'}}
CUSTOM = {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "x"}}
CALLED = {"type": "function_call", "call_id": "c1", "name": "read", "arguments": '{"n": 1.50}'}
CUSTOM_CALLED = {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "x"}
URL = "https://example.org/a.png"


def said(role: str, *parts: Item) -> Item:
    """A message item."""
    return {"type": "message", "role": role, "content": list(parts)}


def text(value: str, kind: str = "input_text") -> Item:
    """A part that is text."""
    return {"type": kind, "text": value}


def spoken(value: str) -> Item:
    """A part of the model's own."""
    return text(value, "output_text")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "system", "content": "s"}, [said("system", text("s"))]),
        ({"role": "developer", "content": "d"}, [said("developer", text("d"))]),
        (
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": ""}],
            },
            [said("user", text("a"), text(""))],
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": URL}}]},
            [said("user", {"type": "input_image", "image_url": URL, "detail": "auto"})],
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": URL}]},
            [said("user", {"type": "input_image", "image_url": URL, "detail": "auto"})],
        ),
        (
            {
                "role": "user",
                "content": [{"type": "file", "file": {"filename": "a", "file_data": "data:x"}}],
            },
            [said("user", {"type": "input_file", "file_data": "data:x", "filename": "a"})],
        ),
        (
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}
                ],
            },
            [said("user", {**text("a"), "prompt_cache_breakpoint": {"mode": "explicit"}})],
        ),
        ({"role": "assistant", "content": "a"}, [said("assistant", spoken("a"))]),
        (
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}],
            },
            [said("assistant", spoken("a"), {"type": "refusal", "refusal": "b"})],
        ),
        (
            {"role": "assistant", "content": None, "refusal": "no"},
            [said("assistant", {"type": "refusal", "refusal": "no"})],
        ),
        ({"role": "assistant", "content": "", "tool_calls": [CALL]}, [CALLED]),
        ({"role": "assistant", "tool_calls": [CALL]}, [CALLED]),
        ({"role": "assistant", "content": [], "tool_calls": [CUSTOM]}, [CUSTOM_CALLED]),
        (
            {"role": "assistant", "content": "a", "tool_calls": [CALL, CUSTOM]},
            [said("assistant", spoken("a")), CALLED, CUSTOM_CALLED],
        ),
        (
            {"role": "assistant", "content": "a", "tool_calls": None},
            [said("assistant", spoken("a"))],
        ),
    ],
)
def test_a_message_becomes_items(message, expected):
    """Each part in its place, none with an id."""
    assert expected == items_of(turn_of(message))


def test_a_message_that_says_nothing_is_no_item():
    """Beside one that says something."""
    assert [said("user", text("hi"))] == items_of(
        turn_of({"role": "system", "content": []}, QUESTION)
    )


def test_a_result_is_of_the_kind_of_its_call():
    """And in the order in which it was sent."""
    turn = turn_of(
        QUESTION,
        {"role": "assistant", "tool_calls": [CALL, CUSTOM]},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "one"}]},
    )
    assert [
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "two"},
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
    ] == items_of(turn)[3:]


def test_a_result_may_be_parts():
    """Texts and, from some clients, images."""
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": URL}}]
    turn = turn_of({"role": "tool", "tool_call_id": "c1", "content": parts})
    image = {"type": "input_image", "image_url": URL, "detail": "auto"}
    assert [text("a"), image] == items_of(turn)[0]["output"]


def test_legacy_functions_are_paired_by_name():
    """A result belongs to the last open call of its function."""
    read = {"role": "assistant", "content": None, "function_call": {"name": "a", "arguments": "1"}}
    write = {"role": "assistant", "function_call": {"name": "b", "arguments": "2"}}
    turn = turn_of(
        read,
        {"role": "function", "name": "a", "content": "one"},
        write,
        read,
        {"role": "function", "name": "b", "content": "two"},
    )
    calls = [(each["type"], each["call_id"]) for each in items_of(turn)]
    assert [
        ("function_call", "call_function_0"),
        ("function_call_output", "call_function_0"),
        ("function_call", "call_function_1"),
        ("function_call", "call_function_2"),
        ("function_call_output", "call_function_1"),
    ] == calls


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"content": "x"}, "role"),
        ({"role": "robot", "content": "x"}, "role"),
        ({"role": "user"}, "content"),
        ({"role": "user", "content": 3}, "content"),
        ({"role": "user", "content": {"type": "text"}}, "content"),
        ({"role": "user", "content": ["x"]}, "content.0"),
        ({"role": "user", "content": [{"text": "x"}]}, "content.0.type"),
        ({"role": "user", "content": [{"type": "video_url"}]}, "content.0.type"),
        ({"role": "user", "content": [{"type": "text"}]}, "content.0.text"),
        ({"role": "user", "content": [{"type": "text", "text": 1}]}, "content.0.text"),
        (
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]},
            "content.0.input_audio.data",
        ),
        ({"role": "user", "content": [{"type": "image_url"}]}, "content.0.image_url"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {}}]},
            "content.0.image_url.url",
        ),
        ({"role": "system", "content": [{"type": "image_url"}]}, "content.0.type"),
        ({"role": "assistant", "content": [{"type": "image_url"}]}, "content.0.type"),
        ({"role": "assistant", "audio": {"id": "a"}}, "audio"),
        ({"role": "assistant", "tool_calls": [{"type": "function"}]}, "tool_calls.0.id"),
        ({"role": "assistant", "tool_calls": [{"id": "c"}]}, "tool_calls.0.function"),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"arguments": ""}}]},
            "tool_calls.0.function.name",
        ),
        (
            {
                "role": "assistant",
                "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {}}}],
            },
            "tool_calls.0.function.arguments",
        ),
        ({"role": "assistant", "tool_calls": {}}, "tool_calls"),
        ({"role": "tool", "content": "x"}, "tool_call_id"),
        ({"role": "tool", "tool_call_id": "c"}, "content"),
        ({"role": "function", "name": "never", "content": "x"}, "name"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(message, param):
    """The path leads to the field, so that whoever wrote it finds it."""
    with pytest.raises(InvalidRequest) as caught:
        turn_of(QUESTION, message)
    assert f"messages.1.{param}" == caught.value.param
    assert f"'messages.1.{param}'" in str(caught.value)


def moved(value, order):
    """A value with the members of its objects in another order."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: order.index(name) if name in order else 99)
        return {name: moved(value[name], order) for name in names}
    return [moved(each, order) for each in value] if isinstance(value, list) else value


SAMPLE = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": 'é ✓ \\ " \n'},
    {"role": "assistant", "content": "a", "tool_calls": [CALL, CUSTOM]},
    {"role": "tool", "tool_call_id": "c1", "content": "one"},
    {"role": "tool", "tool_call_id": "c2", "content": "two"},
]
NULLS = {"name": None, "refusal": None, "function_call": None, "audio": None, "annotations": []}


@given(
    st.permutations(
        ["role", "content", "tool_calls", "id", "function", "name", "arguments", "type"]
    ),
    st.lists(st.booleans(), min_size=5, max_size=5),
    st.booleans(),
    st.sampled_from([(", ", ": "), (",", ":")]),
)
def test_the_same_messages_give_the_same_bytes(order, as_parts, nulls, separators):
    """Key order, spacing, null or absent, a text or its one part: the input is equal."""
    messages = []
    for message, is_part in zip(SAMPLE, as_parts, strict=True):
        content = message["content"]
        content = [{"type": "text", "text": content}] if is_part else content
        messages.append({**message, "content": content, **(NULLS if nulls else {})})
    said = moved({"model": "m", "messages": messages}, order)
    raw = json.dumps(said, separators=separators).encode()
    plain = decode_request(json.dumps({"model": "m", "messages": SAMPLE}).encode(), {}, HIDING)
    turn = decode_request(raw, {}, HIDING)
    assert plain.input == turn.input
    assert () == turn.source.dropped


def test_texts_keep_their_own_bytes():
    """Escapes and digits are the client's: nothing is decoded and written again."""
    call = rb'{"id":"c","function":{"name":"f","arguments":"{\"n\":1.50,\"\u00e9\":\"\/\"}"}}'
    raw = b'{"model":"m","messages":[{"role":"user","content":"\\u00e9 \\/"},'
    raw += b'{"role":"assistant","tool_calls":[' + call + b"]}]}"
    turn = decode_request(raw, {}, HIDING)
    assert b'"text":"\\u00e9 \\/"' in turn.input
    assert rb'"arguments":"{\"n\":1.50,\"\u00e9\":\"\/\"}"' in turn.input


HALVES = ["\ud83d", "\ude00", "\ufffd", "\ue000", "😀", "\\ue000"]


@pytest.mark.parametrize("escapes", [True, False])
def test_half_an_emoji_travels_with_its_escape(escapes):
    """A text that was cut between two halves is read, wherever it is, and equals no other."""
    for half, others in ((each, [o for o in HALVES if o != each]) for each in HALVES):
        turns = [
            sayable(decode_request(spelled_with(each, escapes=escapes), {}, HIDING))
            for each in [half, *others]
        ]
        said, *_ = items = items_of(turns[0])
        assert f"cut {half}" == said["content"][0]["text"]
        assert [{"k": f"cut {half}"}] == [json.loads(i["arguments"]) for i in items if "name" in i]
        assert [f"cut {half}"] == [i["output"] for i in items if "output" in i]
        (tool,) = json.loads(turns[0].members["tools"])
        assert {half: f"cut {half}"} == tool["parameters"]
        first, *rest = (each.history.digest(3) for each in turns)
        assert first not in rest


def spelled_with(half: str, *, escapes: bool) -> bytes:
    """A body that has half an emoji in its texts, arguments and names; all else as characters."""
    text = f"cut {half}"
    call = {"id": "c", "function": {"name": "f", "arguments": json.dumps({"k": text})}}
    raw = body(
        {"role": "user", "content": text},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": text},
        tools=[{"type": "function", "function": {"name": "f", "parameters": {half: text}}}],
    )
    if escapes:
        return json.dumps(json.loads(raw.decode("utf-8", "surrogatepass"))).encode()
    return re.sub(
        b"\xed[\xa0-\xbf][\x80-\xbf]",
        lambda found: rb"\u%04x" % ord(found[0].decode("utf-8", "surrogatepass")),
        raw,
    )


@pytest.mark.parametrize("role", ["user", "tool"])
def test_a_marker_of_the_cache_may_move(role):
    """It is sent on, and is no difference of the history."""
    part = {"type": "text", "text": "a"}
    marked = {**part, "prompt_cache_breakpoint": {"mode": "explicit"}}
    turns = [turn_of({"role": role, "tool_call_id": "c", "content": [c]}) for c in (part, marked)]
    assert b"prompt_cache_breakpoint" in turns[1].input
    assert turns[0].history.digest(1) == turns[1].history.digest(1)


def test_a_long_id_is_shortened_alike():
    """The call and its result say the same, in each turn."""
    call = {**CALL, "id": "x" * 100}
    turn = turn_of(
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "x" * 100, "content": ""},
    )
    (first, second) = (each["call_id"] for each in items_of(turn))
    assert first == second
    assert len(first) <= 64


def detail(kind: str, index: int | None, **members) -> Item:
    """One detail of reasoning."""
    return {"type": f"reasoning.{kind}", "format": "openai-responses-v1", "index": index, **members}


SEAL = sealed(Seal("anthropic", "x"))


@pytest.mark.parametrize(
    ("seal", "words"),
    [(SEAL, [["one, two"], ["one, ", "two"]]), ("gAAA", [[], []])],
    ids=["read beside words", "read alone"],
)
def test_details_that_a_client_has_put_together_come_apart(seal, words):
    """OpenAI's own client does so with those of one index; what is between words is lost then."""
    kept: Item = {}
    for at, identity in enumerate((b'"rs_1"', b"null")):
        encrypted = json.dumps(seal).encode()
        details = details_of(identity, encrypted, [b'"one, "', b'"two"'], 2 * at)
        accumulate_delta(kept, {"reasoning_details": json.loads(details)})
    turn = turn_of({"role": "assistant", "content": "a", **kept})
    parts = [[{"type": "summary_text", "text": word} for word in each] for each in words]
    first, second = (
        {"type": "reasoning", "summary": each, "encrypted_content": seal} for each in parts
    )
    assert [{**first, "id": "rs_1"}, said("assistant", spoken("a")), second] == items_of(turn)


def test_reasoning_comes_back_where_it_was():
    """Encrypted details are items with their summaries; those of other vendors are not."""
    details = [
        detail("summary", 0, summary="why"),
        detail("encrypted", 0, id="rs_1", data="gAAA"),
        detail("encrypted", 2, id=None, data="gBBB"),
        {**detail("encrypted", 1, data="x"), "format": "anthropic-claude-v1"},
        detail("text", 3, text="nothing to send"),
    ]
    message = {"role": "assistant", "content": "a", "tool_calls": [CALL]}
    turn = turn_of({**message, "reasoning_details": details, "reasoning_content": "why"})
    summary = [{"type": "summary_text", "text": "why"}]
    first = {"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "gAAA"}
    second = {"type": "reasoning", "summary": [], "encrypted_content": "gBBB"}
    assert [first, said("assistant", spoken("a")), second, CALLED] == items_of(turn)
