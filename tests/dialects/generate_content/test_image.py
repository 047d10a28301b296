"""The image law: what the encoder shows is recognised when it comes back, and nothing else is."""

import base64
import copy
import json
import random
from typing import Any

import pytest
from google.genai import types
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from longwire.core.rules.continuity import is_replay
from longwire.core.rules.turn import CanonicalItem, Turn
from longwire.dialects.generate_content.signatures import opened
from tests.dialects.answering import Answering, stream
from tests.dialects.chat_completions.answers import call, frames_of, message, reasoning
from tests.dialects.generate_content.answers import (
    QUESTION,
    STREAM,
    chunks_of,
    items_of,
    parts_of,
    turn_of,
)

Item = dict[str, Any]
LAW = settings(deadline=None)
"""A law that reads each chunk with Google's own types takes as long as these do."""

EDITS = 3_000
LONG_NAME = "mcp.server:" + "x" * 70
SHOWING = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
IDS = st.from_regex("call_[a-z0-9]{1,8}", fullmatch=True)
VALUES = st.dictionaries(TEXTS, TEXTS | st.integers() | st.booleans() | st.none(), max_size=3)
ARGUMENTS = VALUES.map(json.dumps) | st.sampled_from(['{"n": 1.50}', "", "{", '{\n "a": 1\n}'])
WAYS = ("whole", "stream", "sdk", "no ids", "cli", "merged")
"""How a client sends back what it was shown."""


@st.composite
def outputs(draw) -> list[Item]:
    """Any output: reasoning, messages with phases, refusals, calls, hosted calls."""
    kinds = draw(st.lists(st.sampled_from("rmmfw"), max_size=6))
    ids = draw(st.lists(IDS, unique=True, min_size=6, max_size=6))
    return [draw(item(kind, at, ids[at])) for at, kind in enumerate(kinds)]


@st.composite
def item(draw, kind: str, at: int, call_id: str) -> Item:
    """One item of a kind."""
    if kind == "r":
        sealed = draw(st.none() | st.sampled_from([f"gAAA{at}", f"lw1.e30.{at}"]))
        return reasoning(f"rs_{at}", *draw(st.lists(TEXTS, max_size=2)), sealed=sealed)
    if kind == "m":
        phase = draw(st.sampled_from(["commentary", "final_answer", None]))
        refusal, texts = draw(st.none() | TEXTS), draw(st.lists(TEXTS, max_size=2))
        return message(*texts, refusal=refusal, phase=phase, id=f"msg_{at}")
    if kind == "f":
        name = draw(st.sampled_from(["read", LONG_NAME]))
        return call(call_id, name, draw(ARGUMENTS), id=f"fc_{at}")
    return {"type": "web_search_call", "id": f"ws_{at}", "status": "completed"}


def shown(turn: Turn, output: list[Item], way: str) -> list[Item]:
    """The contents of the model as a client has them: one for each chunk where it streams."""
    frames = frames_of(*output)
    if way == "whole":
        answer = json.loads(Answering(turn).whole(frames))
        return [answer["candidates"][0]["content"]]
    streamed = chunks_of(stream(turn, frames))
    contents = [chunk["candidates"][0]["content"] for chunk in streamed]
    if way == "stream":
        return contents
    parts = parts_of(streamed)
    if way == "sdk":
        return [as_sdk(content) for content in contents]
    if way == "no ids":
        return [{"role": "model", "parts": [without_id(part) for part in parts]}]
    return [{"role": "model", "parts": as_cli(parts) if way == "cli" else merged(parts)}]


def as_sdk(content: Item) -> Item:
    """A content that was read and written by Google's own type."""
    read = types.Content.model_validate(content)
    return read.model_dump(mode="json", by_alias=True, exclude_none=True)


def without_id(part: Item) -> Item:
    """A part whose call has lost its id."""
    if "functionCall" not in part:
        return part
    called = {name: value for name, value in part["functionCall"].items() if name != "id"}
    return {**part, "functionCall": called}


def as_cli(parts: list[Item]) -> list[Item]:
    """Parts as Gemini CLI keeps them: no thoughts, texts put together, names before ids of calls.

    A signature on the later one of two texts is lost: what was reasoned between them.
    """
    kept: list[Item] = []
    for part in map(copy.deepcopy, parts):
        if "functionCall" in part:
            called = part["functionCall"]
            called["id"] = f"{called['name']}__{called['id']}"
        if part.get("thought"):
            continue
        if "text" in part and kept and kept[-1].get("text"):
            signature = opened(part.get("thoughtSignature", ""))
            assume(signature is None or not signature.r)
            kept[-1]["text"] += part["text"]
        else:
            kept.append(part)
    return kept


def merged(parts: list[Item]) -> list[Item]:
    """Parts whose texts were put together where nothing stands between them."""
    found: list[Item] = []
    for part in parts:
        is_more = found and set(part) == {"text"} and set(found[-1]) <= {"text", "thoughtSignature"}
        if is_more and "text" in found[-1]:
            found[-1] = {**found[-1], "text": found[-1]["text"] + part["text"]}
        else:
            found.append(part)
    return found


def first_turn(**members) -> Turn:
    """A question with tools, of which one has a name that is sent by another one."""
    declared = [{"name": name} for name in (LONG_NAME, "read")]
    tools = [{"functionDeclarations": declared}]
    return turn_of(QUESTION, tools=tools, target=STREAM, **members)


def replayed(turn: Turn, contents: list[Item]) -> list[CanonicalItem]:
    """The items of a replay behind those of the question."""
    later = turn_of(QUESTION, *contents, QUESTION)
    assert later.source.refusal is None
    return later.history.canonical_items(len(turn.history))[:-1]


def image_of(turn: Turn, output: list[Item]) -> tuple[CanonicalItem, ...] | None:
    """The image of an output."""
    return turn.image([json.dumps(item).encode() for item in output])


def is_recognised(image: tuple[CanonicalItem, ...], items: list[CanonicalItem]) -> bool:
    """Whether items are the replay of an image, all of it and nothing else."""
    return len(image) == len(items) and all(map(is_replay, image, items))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("members", [{}, SHOWING], ids=["hiding", "showing"])
@LAW
@given(output=outputs())
def test_what_was_shown_is_recognised(output, members, way):
    """Of any output the client's replay equals the image, item by item, in one piece or many."""
    turn = first_turn(**members)
    assert is_recognised(image_of(turn, output), replayed(turn, shown(turn, output, way)))


@LAW
@given(output=outputs())
def test_a_later_turn_reads_its_reasoning_again(output):
    """Reasoning comes back where it stood: before the part that it led to."""
    turn = first_turn()
    later = items_of(turn_of(QUESTION, *shown(turn, output, "stream"), QUESTION))
    said = [
        item
        for item in output
        if item["type"] == "function_call" or item.get("encrypted_content") is not None
    ]
    found = [item for item in later if item["type"] in ("reasoning", "function_call")]
    keys = ("type", "id", "encrypted_content", "call_id")
    assert [_anchors(item, keys) for item in said] == [_anchors(item, keys) for item in found]


def _anchors(item: Item, keys: tuple[str, ...]) -> list[Any]:
    own = item if item["type"] == "reasoning" else {**item, "id": None}
    return [own.get(key) for key in keys]


@LAW
@given(output=outputs())
def test_signatures_are_base64(output):
    """Google's own types decode each one, and so does who reads base64 strictly."""
    for part in parts_of(chunks_of(stream(first_turn(), frames_of(*output)))):
        if "thoughtSignature" in part:
            assert base64.b64decode(part["thoughtSignature"], validate=True).startswith(b"lw1.")


def test_half_a_call_cannot_be_gone_on_from():
    """The client was not shown it where the answer was stopped, so that it never answers it."""
    output = [message("x", id="msg_1"), call("call_1", "read", '{"p":', status="incomplete")]
    turn = first_turn()
    kept = [{"role": "model", "parts": [{"text": "x"}]}]
    assert not is_recognised(image_of(turn, output), replayed(turn, kept))
    assert is_recognised(image_of(turn, output[:1]), replayed(turn, kept))


SUBJECT = [
    reasoning("rs_1", "why", sealed="gAAA1"),
    message("first, ", "then", phase="commentary", id="msg_1"),
    call("call_1", "read", '{"path":"a.txt","lines":3,"deep":{"x":[1,2.50]}}'),
    reasoning("rs_2", "how", sealed="gAAA2"),
    call("call_2", "write", '{"path":"b.txt"}'),
    call("call_3", "list", "{}"),
]


def edit_text(parts: list[Item], chance: random.Random) -> None:
    """Change what the model said by a letter."""
    part = next(each for each in parts if "text" in each)
    at = chance.randrange(len(part["text"]) + 1)
    part["text"] = part["text"][:at] + chance.choice("aZ0é ✓") + part["text"][at:]


def edit_argument(parts: list[Item], chance: random.Random) -> None:
    """Change a value among the arguments, and nothing else."""
    values = chance.choice([each for each in parts if "functionCall" in each])["functionCall"]
    name = chance.choice([*values["args"], "new"])
    old = values["args"].get(name)
    others = [None, 4, "3", "c.txt", [], {"x": [2, 1]}, {"x": [1, 2.51]}]
    values["args"][name] = chance.choice([each for each in others if each != old])


def edit_name(parts: list[Item], chance: random.Random) -> None:
    """Call another function."""
    called = chance.choice([each for each in parts if "functionCall" in each])["functionCall"]
    called["name"] += chance.choice("xyz_")


def edit_calls(parts: list[Item], chance: random.Random) -> None:
    """Drop, double or swap parts."""
    at, other = chance.sample(range(len(parts)), 2)
    way = chance.choice(["drop", "double", "swap"])
    if way == "drop":
        del parts[at]
    elif way == "double":
        parts.insert(at, copy.deepcopy(parts[other]))
    else:
        parts[at], parts[other] = parts[other], parts[at]


def test_every_edit_is_refused():
    """Whatever a client changes of an answer, it is not taken for the answer."""
    turn, chance = first_turn(), random.Random(7)
    image, (original,) = image_of(turn, SUBJECT), shown(turn, SUBJECT, "whole")
    assert is_recognised(image, replayed(turn, [original]))
    accepted = []
    for _ in range(EDITS):
        content = copy.deepcopy(original)
        edit = chance.choice([edit_text, edit_argument, edit_name, edit_calls])
        edit(content["parts"], chance)
        if content != original and is_recognised(image, replayed(turn, [content])):
            accepted.append((edit.__name__, content["parts"]))
    assert [] == accepted


def test_what_the_upstream_does_not_hold_is_not_gone_on_from():
    """An id that was shortened: the turn begins anew."""
    turn, output = first_turn(), [call("c" * 65)]
    assert not is_recognised(image_of(turn, output), replayed(turn, shown(turn, output, "whole")))


def test_an_answer_that_was_cut_has_no_image():
    """The upstream holds more than its client saw, whatever that sends back."""
    turn = first_turn(generationConfig={"stopSequences": ["then"]})
    assert image_of(turn, [message("first, then")]) is None
