"""The image law: what the encoder shows is recognised when it comes back, and nothing else is."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.nouns.access import Grant
from longwire.core.rules.continuity import is_replay
from longwire.core.rules.turn import CanonicalItem, Turn
from longwire.dialects.responses.items import canonical_item
from tests.dialects.answering import Answering, stream
from tests.dialects.chat_completions.answers import (
    HIDING,
    LAW,
    QUESTION,
    SHOWING,
    Item,
    accumulated,
    call,
    chunks_of,
    completion,
    custom,
    frames_of,
    message,
    reasoning,
    turn_of,
)

EDITS = 10_000
LONG_NAME = "mcp__" + "x" * 70
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
IDS = st.from_regex("call_[a-z0-9]{1,8}", fullmatch=True)
VALUES = st.dictionaries(TEXTS, TEXTS | st.integers() | st.booleans() | st.none(), max_size=3)
ARGUMENTS = VALUES.map(json.dumps) | st.sampled_from(['{"n": 1.50}', "", "{"])


@st.composite
def outputs(draw) -> list[Item]:
    """Any output: reasoning, messages with phases, refusals, calls of both kinds, hosted ones."""
    kinds = draw(st.lists(st.sampled_from("rmmfcw"), max_size=6))
    ids = draw(st.lists(IDS, unique=True, min_size=6, max_size=6))
    return [draw(item(kind, at, ids[at])) for at, kind in enumerate(kinds)]


@st.composite
def item(draw, kind: str, at: int, call_id: str) -> Item:
    """One item of a kind."""
    if kind == "r":
        sealed = draw(st.none() | st.just(f"gAAA{at}"))
        return reasoning(f"rs_{at}", *draw(st.lists(TEXTS, max_size=2)), sealed=sealed)
    if kind == "m":
        phase = draw(st.sampled_from(["commentary", "final_answer", None]))
        refusal, texts = draw(st.none() | TEXTS), draw(st.lists(TEXTS, max_size=2))
        return message(*texts, refusal=refusal, phase=phase, id=f"msg_{at}")
    if kind == "f":
        name = draw(st.sampled_from(["read", LONG_NAME]))
        return call(call_id, name, draw(ARGUMENTS), id=f"fc_{at}")
    if kind == "c":
        return custom(call_id, value=draw(TEXTS))
    return {"type": "web_search_call", "id": f"ws_{at}", "status": "completed"}


def shown(turn: Turn, output: list[Item], way: str) -> Item:
    """The assistant message as the client has it, whole or put together from chunks."""
    frames = frames_of(*output)
    if way == "whole":
        return completion(Answering(turn).whole(frames))["choices"][0]["message"]
    added = accumulated(chunks_of(stream(turn, frames)))
    del added["finish_reason"]
    return added


def replayed(turn: Turn, answer: Item, grant: Grant) -> list[CanonicalItem]:
    """The items of a replay behind those of the question."""
    later = turn_of(QUESTION, answer, grant=grant)
    return later.history.canonical_items(len(turn.history))


def tool(name: str) -> Item:
    """A function to call."""
    return {"type": "function", "function": {"name": name}}


def first_turn(grant: Grant) -> Turn:
    """A question with tools, of which one has a long name."""
    return turn_of(QUESTION, grant=grant, tools=[tool(LONG_NAME), tool("read")])


def image_of(turn: Turn, output: list[Item]) -> tuple[CanonicalItem, ...] | None:
    """The image of an output."""
    return turn.image([json.dumps(item).encode() for item in output])


def is_recognised(image: tuple[CanonicalItem, ...], items: list[CanonicalItem]) -> bool:
    """Whether items are the replay of an image, all of it and nothing else."""
    return len(image) == len(items) and all(map(is_replay, image, items))


@pytest.mark.parametrize("way", ["whole", "stream"])
@pytest.mark.parametrize("grant", [HIDING, SHOWING], ids=["hiding", "showing"])
@LAW
@given(output=outputs())
def test_what_was_shown_is_recognised(output, grant, way):
    """Of any output the client's replay equals the image, item by item."""
    turn = first_turn(grant)
    answer = shown(turn, output, way)
    assert is_recognised(image_of(turn, output), replayed(turn, answer, grant))


@LAW
@given(output=outputs())
def test_hidden_reasoning_is_absent(output):
    """Where it is not shown, the image has none."""
    assert not any(item.is_reasoning for item in image_of(first_turn(HIDING), output))


def test_interleaved_reasoning_is_restored():
    """Reasoning comes back before the call it led to, not all of it first."""
    output = [reasoning("rs_1", "a"), call("call_1"), reasoning("rs_2", "b"), call("call_2")]
    turn = first_turn(SHOWING)
    later = turn_of(QUESTION, shown(turn, output, "stream"), grant=SHOWING)
    found = [item.get("call_id") or item["id"] for item in json.loads(later.input)[1:]]
    assert ["rs_1", "call_1", "rs_2", "call_2"] == found
    cores = [canonical_item(json.dumps(item).encode()).core for item in output]
    assert cores == [item.core for item in image_of(turn, output)]


SUBJECT = [
    reasoning("rs_1", "why", sealed="gAAA1"),
    message("first, ", "then", phase="commentary", id="msg_1"),
    call("call_1", "read", '{"path":"a.txt","lines":3,"deep":{"x":[1,2.50]}}'),
    reasoning("rs_2", "how", sealed="gAAA2"),
    custom("call_2", "patch", "*** Begin"),
    call("call_3", "list", "{}"),
]


def texts_in(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Where texts stand in a message that mean something; a summary's id says what another does."""
    if isinstance(value, dict):
        unread = {"role", "type", "format", "reasoning_content"}
        unread |= {"id"} if "summary" in value else set()
        for name, member in value.items():
            if name not in unread:
                yield from texts_in(member, (*path, name))
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from texts_in(member, (*path, at))
    elif isinstance(value, str):
        yield path


def edit_text(answer: Item, chance: random.Random) -> str:
    """Change a text, an id, a name, arguments: a letter more, or one less."""
    path = chance.choice(list(texts_in(answer)))
    place = answer
    for step in path[:-1]:
        place = place[step]
    old = place[path[-1]]
    at = chance.randrange(len(old) + 1)
    new = chance.choice([old[:at] + chance.choice("aZ0é ✓") + old[at:], old[:at] + old[at + 1 :]])
    place[path[-1]] = new
    return "" if new == old or have_same_values(old, new) else f"{path}: {new!r}"


def have_same_values(old: str, new: str) -> bool:
    """Whether two texts are the same JSON: a space more in the arguments is no edit."""
    try:
        return json.loads(old) == json.loads(new)
    except ValueError:
        return False


def edit_argument(answer: Item, chance: random.Random) -> str:
    """Change a value among the arguments, and nothing else."""
    function = answer["tool_calls"][0]["function"]
    values = json.loads(function["arguments"])
    name = chance.choice(list(values))
    values[name] = chance.choice([None, 4, "3", "b.txt", [], {"x": [2, 1]}, {"x": [1, 2.51]}])
    function["arguments"] = json.dumps(values)
    return f"{name}: {values[name]!r}"


def edit_calls(answer: Item, chance: random.Random) -> str:
    """Drop, double or swap calls."""
    calls = answer["tool_calls"]
    at, other = chance.sample(range(len(calls)), 2)
    way = chance.choice(["drop", "double", "swap", "all"])
    if way == "drop":
        del calls[at]
    elif way == "double":
        calls.insert(at, copy.deepcopy(calls[other]))
    elif way == "swap":
        calls[at], calls[other] = calls[other], calls[at]
    else:
        del answer["tool_calls"]
    return f"{way} {at} {other}"


def edit_kind(answer: Item, chance: random.Random) -> str:
    """Say another thing with the same words: a refusal, another role, nothing."""
    way = chance.choice(["refuse", "more", "role", "silence"])
    if way == "refuse":
        answer["refusal"], answer["content"] = answer["content"], None
    elif way == "more":
        answer["refusal"] = "no"
    elif way == "role":
        answer["role"] = chance.choice(["user", "system"])
        del answer["tool_calls"]
    else:
        answer["content"] = None
    return way


def edit_details(answer: Item, chance: random.Random) -> str:
    """Drop one of two reasonings, swap them, or change what one says."""
    details = answer["reasoning_details"]
    sealed = [each for each in details if each["type"] == "reasoning.encrypted"]
    way = chance.choice(["drop", "swap", "content", "summary"])
    if way == "drop":
        details.remove(chance.choice(sealed))
    elif way == "swap":
        sealed[0]["index"], sealed[1]["index"] = sealed[1]["index"], sealed[0]["index"]
    elif way == "content":
        sealed[0]["data"] = sealed[1]["data"]
    else:
        next(each for each in details if "summary" in each)["summary"] += "?"
    return way


@pytest.mark.parametrize("grant", [HIDING, SHOWING], ids=["hiding", "showing"])
def test_every_edit_is_refused(grant):
    """Whatever a client changes of an answer, it is not taken for the answer."""
    turn, chance = first_turn(grant), random.Random(7)
    image, original = image_of(turn, SUBJECT), shown(turn, SUBJECT, "whole")
    assert is_recognised(image, replayed(turn, original, grant))
    edits = [edit_text, edit_text, edit_argument, edit_calls, edit_kind]
    edits += [edit_details] if grant is SHOWING else []
    count, accepted = 0, set()
    while count < EDITS // 2:
        answer, edit = copy.deepcopy(original), chance.choice(edits)
        edited = edit(answer, chance)
        if not edited or answer == original:
            continue
        count += 1
        if is_recognised(image, replayed(turn, answer, grant)):
            accepted.add((edit.__name__, edited))
    assert set() == accepted


@pytest.mark.parametrize(
    ("members", "output"),
    [
        ({"functions": [{"name": "read"}]}, [call("call_1")]),
        ({"tools": [tool("read")]}, [call("c" * 65)]),
    ],
    ids=["functions", "long id"],
)
def test_what_the_upstream_does_not_hold_is_not_gone_on_from(members, output):
    """A call without an id, an id that was shortened: the turn begins anew."""
    turn = turn_of(QUESTION, **members)
    answer = completion(Answering(turn).whole(frames_of(*output)))["choices"][0]["message"]
    assert not is_recognised(image_of(turn, output), replayed(turn, answer, HIDING))


@pytest.mark.parametrize("way", ["whole", "stream"])
@pytest.mark.parametrize("size", [0, 3])
def test_images_are_shown_and_no_difference(way, size):
    """As OpenRouter shows them; without words of the model's, and by their own types."""
    made = {"type": "image_generation_call", "status": "completed"}
    png, jpeg = ({**made, "id": data, "result": data} for data in ("iVBORw0K", "/9j/4AAQ"))
    turn, output = first_turn(HIDING), [message("see", id="msg_1"), png, jpeg]
    frames = frames_of(*output, size=size)
    if way == "whole":
        answer = completion(Answering(turn).whole(frames))["choices"][0]["message"]
    else:
        answer = accumulated(chunks_of(stream(turn, frames)))
        del answer["finish_reason"]
    urls = ["data:image/png;base64,iVBORw0K", "data:image/jpeg;base64,/9j/4AAQ"]
    assert "see" == answer["content"]
    assert answer["images"] == [
        {"type": "image_url", "image_url": {"url": url}, "index": at} for at, url in enumerate(urls)
    ]
    assert is_recognised(image_of(turn, output), replayed(turn, answer, HIDING))
    assert "messages.images" in turn_of(QUESTION, answer).source.dropped


def test_an_answer_that_was_cut_has_no_image():
    """The upstream holds more than its client saw, whatever that sends back."""
    assert image_of(turn_of(QUESTION, stop="then"), [message("first, then")]) is None
