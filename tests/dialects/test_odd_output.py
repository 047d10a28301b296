"""Output of a Responses upstream with a member missing, null or of another type, in any dialect.

It is read where it is plain what was meant; else the answer fails as an upstream's does. Nothing is
lost in silence, and who reads an answer whole reads what its stream says.
"""

import json
from copy import deepcopy

import pytest

from longwire.core.errors import LongwireError
from longwire.core.events import Event, Kind
from longwire.core.nouns.access import Grant
from longwire.core.rules.turn import Turn
from longwire.dialects.clients import decoder_of
from longwire.dialects.responses.stream import MalformedEvent
from longwire.dialects.responses.unfinished import Unfinished
from tests.dialects.answering import Answering

USER = {"role": "user", "content": "hi"}
TOOLS = {
    "chat_completions": [{"type": "function", "function": {"name": "read"}}],
    "messages": [{"name": "read", "input_schema": {"type": "object"}}],
    "generate_content": [{"functionDeclarations": [{"name": "read"}]}],
}
BODIES = {
    "chat_completions": {"messages": [USER]},
    "messages": {"messages": [USER], "max_tokens": 99, "thinking": {"type": "adaptive"}},
    "generate_content": {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
    },
}
ODD = [None, 5, 0.0, "0", "Hello", True, [], ["a"], {}, {"a": "b"}]
"""Values of every type, of which some mean what belongs there."""

SAYING = {"delta", "text", "arguments", "content", "summary"}
MISSING = object()
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hmm"}]}
SAYS = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}],
}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "read",
    "arguments": '{"path":"a"}',
    "status": "completed",
}
OUTPUT = [THOUGHT, SAYS, CALL]


def piece(kind: str, index: int, text: str, **members) -> dict:
    """A piece of a text."""
    return {"type": f"response.{kind}.delta", "output_index": index, **members, "delta": text}


def events(output: list[dict]) -> list[dict]:
    """A response as its upstream streams it."""
    thought, says, call = output
    response = {"id": "resp_1", "created_at": 1, "model": "m", "status": "in_progress"}
    parts = {"content_index": 0, "item_id": "msg_1"}
    pieces = [
        [piece("reasoning_summary_text", 0, "Hmm", summary_index=0)],
        [piece("output_text", 1, "Hel", **parts), piece("output_text", 1, "lo", **parts)],
        [piece("function_call_arguments", 2, call["arguments"])],
    ]
    begun = [{**thought, "summary": []}, {**says, "content": []}, {**call, "arguments": ""}]
    said = [{"type": "response.created", "response": {**response, "output": []}}]
    for index, item in enumerate(output):
        said.append({"type": ADDED, "output_index": index, "item": begun[index]})
        said += [*pieces[index], {"type": DONE, "output_index": index, "item": item}]
    usage = {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14}
    ended = {**response, "status": "completed", "output": output, "usage": usage}
    return [*said, {"type": "response.completed", "response": ended}]


ADDED, DONE = "response.output_item.added", "response.output_item.done"
PLACES = [
    *((("event", name),) for name in ("content_index", "summary_index", "delta")),
    (("event", "item"),),
    *(
        (("item", index, name),)
        for index, item in enumerate(OUTPUT)
        for name in item
        if name not in {"role", "status"}
    ),
    *((("part", name),) for name in ("type", "text", "annotations", "logprobs")),
    *((("response", name),) for name in ("id", "created_at", "model", "status", "usage")),
]


def put(holder: dict, name: str, value: object) -> None:
    """Change a member, where it is."""
    if name in holder:
        holder.pop(name)
        if value is not MISSING:
            holder[name] = value


def spoiled(place: tuple, value: object) -> list[dict]:
    """A response with one member as it should not be, wherever it is."""
    found = deepcopy(events(OUTPUT))
    where, *path = place
    own = [item["id"] for item in OUTPUT]
    for event in found:
        items = [event.get("item"), *event.get("response", {}).get("output", ())]
        if where == "event" and event["type"] != "response.created":
            put(event, path[0], value)
        elif where == "response" and "response" in event:
            put(event["response"], path[0], value)
        for item in filter(None, items):
            if where == "item" and item.get("id", own[path[0]]) == OUTPUT[path[0]]["id"]:
                put(item, path[1], value)
            for part in item.get("content", ()) if where == "part" else ():
                put(part, path[0], value)
    return found


def turn_of(api: str) -> Turn:
    """A turn of a client."""
    body = json.dumps({"model": "m", **BODIES[api], "tools": TOOLS[api]}).encode()
    return decoder_of(api, "m")(body, {}, Grant(shows_reasoning=True))


def streamed(api: str, frames: list[bytes], *, is_plain: bool) -> str:
    """What a client reads of a stream, "" where it fails as an upstream's does."""
    answering = Answering(turn_of(api))
    try:
        sent = answering.batch(frames[:1])
        count, plain = answering.plain(frames[1:]) if is_plain else (0, b"")
        return (sent + plain + answering.batch(frames[1 + count :])).decode()
    except (LongwireError, MalformedEvent):
        return ""


def whole(api: str, frames: list[bytes]) -> str:
    """What a client reads that does not stream."""
    answering, unfinished = Answering(turn_of(api)), Unfinished()
    try:
        for raw in frames:
            event = answering.event(raw)
            if event.kind in (Kind.OUTPUT, Kind.ITEM):
                unfinished.add([Event(event.kind, event.name, raw)])
        unfinished.complete(answering.aggregate)
        return answering.answer.whole(answering.aggregate.terminal).decode()
    except (LongwireError, MalformedEvent):
        return ""


def texts(sent: str) -> bool:
    """Whether the text is there, in one piece or in two."""
    return '"Hello' in sent or ('"Hel"' in sent and '"lo"' in sent)


@pytest.mark.parametrize("api", BODIES)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place[0])))
def test_what_is_odd_is_read_or_refused(api, place):
    """No error is the gateway's own; text and call are there however the answer is read."""
    for value in (MISSING, *ODD):
        says_else = place[0][-1] in SAYING and isinstance(value, str | list | dict)
        if says_else or (place[0][-1] == "type" and isinstance(value, str)):
            continue  # it says something else than its stream, or is what nobody knows
        frames = [json.dumps(each).encode() for each in spoiled(place[0], value)]
        sent = [streamed(api, frames, is_plain=each) for each in (True, False)]
        sent.append(whole(api, frames))
        assert all(sent) or not any(sent), (value, sent)
        for each in filter(None, sent):
            assert texts(each), (value, each)
            assert place[0] == ("item", 2, "type") or "path" in each, (value, each)


@pytest.mark.parametrize("api", BODIES)
@pytest.mark.parametrize("write", [str, float, lambda _: None], ids=["text", "float", "null"])
def test_a_place_in_another_spelling_is_that_place(api, write):
    """A null is no place: the item cannot be told from others, so the answer breaks off."""
    frames = []
    for event in events(OUTPUT):
        if "output_index" in event:
            event["output_index"] = write(event["output_index"])
        frames.append(json.dumps(event).encode())
    sent = [streamed(api, frames, is_plain=each) for each in (True, False)]
    for each in (*sent, whole(api, frames)):
        assert bool(each) == (write(0) is not None)
        assert not each or (texts(each) and "path" in each)


def asked(api: str, item: dict) -> list[str]:
    """A text as a client reads it whose upstream said nothing but one item: streamed, and whole."""
    ended = {"id": "resp_1", "status": "completed", "output": [item]}
    said = [
        {"type": "response.created", "response": {"id": "resp_1"}},
        {"type": DONE, "output_index": 0, "item": item},
        {"type": "response.completed", "response": ended},
    ]
    frames = [json.dumps(each).encode() for each in said]
    return [streamed(api, frames, is_plain=False), whole(api, frames)]


@pytest.mark.parametrize("api", BODIES)
@pytest.mark.parametrize(
    "changes",
    [
        {"content": "Hello"},
        {"content": {"type": "output_text", "text": "Hello"}},
        {"content": ["Hello"]},
        {"content": [{"type": None, "text": "Hello"}]},
        {"content": [{"text": "Hello"}]},
        {"content": [{"refusal": "Hello"}]},
        {"content": [{"type": "output_text", "text": {"value": "Hello"}}]},
        {"content": [{"type": "output_text", "text": ["Hello"]}]},
        {"type": None},
        {"phase": 5},
    ],
)
def test_a_text_that_only_its_item_has_is_shown(api, changes):
    """Whatever is not as the API has it, what it says is in the answer."""
    for sent in asked(api, {**SAYS, **changes}):
        assert "Hello" in sent


@pytest.mark.parametrize("api", BODIES)
def test_arguments_that_are_an_object_are_those_of_the_call(api):
    """As some write them who speak other APIs, too."""
    for sent in asked(api, {**CALL, "arguments": {"path": "Hello"}}):
        assert "Hello" in sent
        assert "unparsed" not in sent
