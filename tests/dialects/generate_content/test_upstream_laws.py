"""Laws of turns towards Gemini: what comes back is what was there, and nothing before it moves."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from longwire.dialects.responses.stream import MalformedEvent
from tests.dialects.generate_content.calls import (
    Json,
    call_of,
    chunk,
    contents_of,
    cut,
    output,
    read,
    reading,
    response,
    signed,
    sse,
    user,
)

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
SIGNATURES = st.text("abcDEF0189+/=", min_size=1, max_size=9)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.:-]{0,20}", fullmatch=True)


@st.composite
def parts(draw: st.DrawFn) -> Json:
    """One part of what a model says."""
    part: Json = draw(
        st.one_of(
            st.fixed_dictionaries({"text": WORDS}),
            st.fixed_dictionaries({"text": WORDS, "thought": st.just(True)}),
            st.fixed_dictionaries(
                {
                    "functionCall": st.fixed_dictionaries(
                        {
                            "id": st.uuids().map(str),
                            "name": NAMES,
                            "args": st.dictionaries(WORDS, VALUES, max_size=3),
                        }
                    )
                }
            ),
        )
    )
    signature = draw(st.none() | SIGNATURES)
    return part if signature is None else {**part, "thoughtSignature": signature}


def normal(said: list[Json]) -> list[Json]:
    """Parts as they come back: thoughts that nobody signed are gone, and texts run together.

    Of one run of text the signature stands on it where it came first, behind it otherwise.
    """
    found: list[Json] = []
    is_run = False
    for part in said:
        is_plain = "text" in part and not part.get("thought")
        signature = part.get("thoughtSignature")
        if part.get("thought") and signature is None:
            is_run = False
        elif is_plain and is_run:
            found[-1] = {"text": found[-1]["text"] + part["text"]}
            if signature is not None:
                found.append({"text": "", "thoughtSignature": signature})
                is_run = False
        else:
            found.append(part)
            is_run = is_plain and signature is None
    return found


def merged_thoughts(said: list[Json]) -> list[Json]:
    """Parts with the thoughts of one run as one: a stream sends them in pieces."""
    found: list[Json] = []
    for part in said:
        before = found[-1] if found else {}
        if part.get("thought") and before.get("thought") and "thoughtSignature" not in before:
            found[-1] = {**before, **part, "text": before["text"] + part["text"]}
        else:
            found.append(part)
    return found


def model_content(output_: list[Json]) -> list[Json]:
    """What a client that sends an output back has Gemini get, by a model that needs no dummies."""
    calls = [item["call_id"] for item in output_ if item["type"] == "function_call"]
    results = [output(call_id, "x") for call_id in calls]
    contents = contents_of(user("q"), *output_, *results, model="gemini-2.5-pro")
    return [part for each in contents if each["role"] == "model" for part in each["parts"]]


@given(st.lists(parts(), min_size=1, max_size=6))
def test_what_the_model_said_comes_back_to_it(said: list[Json]) -> None:
    """Parts become items and the items these parts again, each signature where it was."""
    chunks = [*(chunk(part) for part in said), chunk(finish="STOP")]
    expected = normal(merged_thoughts(said))
    assert model_content(response(read(*chunks))["output"]) == expected


@given(st.lists(parts(), min_size=1, max_size=6), st.integers(1, 40))
def test_a_stream_may_be_cut_anywhere(said: list[Json], size: int) -> None:
    """The same bytes in other pieces are the same events."""
    body = sse(*(chunk(part) for part in said), chunk(finish="STOP"))
    whole, pieces = reading(), reading()
    expected = whole.feed(body) + whole.end()
    found = [each for piece in cut(body, size) for each in pieces.feed(piece)]
    assert expected == found + pieces.end()


MEMBERS = """candidates content parts text thought thoughtSignature functionCall name args
partialArgs jsonPath stringValue numberValue willContinue finishReason usageMetadata error
promptTokenCount promptFeedback blockReason groundingMetadata groundingChunks
groundingSupports segment index inlineData executableCode responseId createTime modelVersion"""
KEYS = st.sampled_from(MEMBERS.split())
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "STOP", "$.a[0].b", "SAFETY"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(ODD, max_size=4))
def test_an_odd_answer_is_read_or_is_malformed(said: list[Json]) -> None:
    """Whatever an upstream sends, its events are whole, or it is known to be malformed."""
    by = reading()
    try:
        events = by.feed(sse(*said)) + by.end()
    except MalformedEvent:
        return
    assert [json.loads(event.raw)["type"] for event in events] == [event.name for event in events]


@given(st.lists(st.tuples(st.text("$.[]'\"ab01", max_size=12), VALUES), max_size=5))
def test_arguments_in_pieces_are_always_an_object(pieces: list[tuple[str, Json]]) -> None:
    """However odd their paths, what is put together is JSON, and its texts are not lost in part."""
    said = [
        {"jsonPath": path, "stringValue": value}
        if isinstance(value, str)
        else {"jsonPath": path, "numberValue": value}
        for path, value in pieces
    ]
    part = {"functionCall": {"name": "f", "partialArgs": said}}
    [item] = response(read(chunk(part, finish="STOP")))["output"]
    assert isinstance(json.loads(item["arguments"]), dict)


@st.composite
def rounds(draw: st.DrawFn) -> list[Json]:
    """What a model says once, and what is said to it."""
    items: list[Json] = []
    calls = draw(st.lists(st.uuids().map(str), max_size=3))
    if draw(st.booleans()):
        items.append(signed("call", "s"))
    if not calls or draw(st.booleans()):
        items.append({"type": "message", "role": "assistant", "content": draw(WORDS)})
    items += [
        {"type": "function_call", "call_id": each, "name": "f", "arguments": "{}"} for each in calls
    ]
    items += [output(each, draw(WORDS)) for each in draw(st.permutations(calls))]
    role: Any = st.sampled_from(["user", "developer"])
    if not calls or draw(st.booleans()):
        items.append({"type": "message", "role": draw(role), "content": draw(WORDS)})
    return items


@given(st.lists(rounds(), min_size=1, max_size=4), rounds())
def test_the_body_of_a_longer_history_begins_with_the_shorter_one(
    earlier: list[list[Json]], last: list[Json]
) -> None:
    """So that what Google has cached of a prompt is found again."""
    history = [user("q"), *(item for each in earlier for item in each)]
    shorter, longer = call_of(history).body, call_of([*history, *last]).body
    assert longer.startswith(shorter.removesuffix(b"]}]}"))


@given(st.dictionaries(WORDS, VALUES, max_size=4), st.integers(0, 3))
def test_arguments_travel_verbatim_both_ways(arguments: Json, indent: int) -> None:
    """However an object is spelled, its call is sent back byte for byte."""
    raw = json.dumps(arguments, indent=indent or None, ensure_ascii=indent > 1)
    by = reading()
    body = b'{"candidates":[{"content":{"parts":[{"functionCall":{"id":"c","name":"f","args":%b}}]}'
    events = by.whole(body % raw.encode() + b',"finishReason":"STOP"}],"responseId":"r"}')
    [item] = response(events)["output"]
    assert item["arguments"] == raw
    sent = call_of([user("q"), item, output("c", "x")])
    assert b'"args":%b}' % raw.encode() in sent.body
