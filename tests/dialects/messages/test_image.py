"""The image law: what a client sends back of an answer is known again, and no edit of it is."""

import json
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from longwire.core.rules.continuity import Chain, Continue, decide, extend, is_replay
from longwire.core.rules.turn import Turn
from longwire.dialects.messages.thinking import opened, sealed
from tests.dialects.messages.answers import (
    QUESTION,
    THINKING,
    Json,
    accumulated,
    call,
    encoded,
    events_of,
    items_of,
    message,
    reasoning,
    replayed,
    search,
    streamed,
    turn,
    whole,
)
from tests.dialects.messages.outputs import outputs

TOOLS = [{"name": "Read", "input_schema": {}}, {"name": "a" * 70, "input_schema": {}}]
MEMBERS: dict[str, Any] = {"thinking": THINKING, "tools": TOOLS}
EDITS = 10_000


def chain_of(sent: Turn, output: list[Json]) -> Chain:
    return extend(sent, "resp_1", sent.image([encoded(item) for item in output]), None)


def following(sent: Turn, content: list[Json], **members: Any) -> Turn:
    return turn(QUESTION, replayed(content), QUESTION, **{**MEMBERS, **members})


@given(outputs())
@settings(max_examples=300, deadline=None)
def test_what_clients_send_back_is_known_item_by_item(output: list[Json]) -> None:
    """The whole answer verbatim, and the stream through Anthropic's client, are both replays."""
    sent = turn(QUESTION, **MEMBERS)
    chain = chain_of(sent, output)
    events = events_of(output)
    read = accumulated(streamed(sent, events)).to_dict(exclude_unset=False)
    for content in (whole(sent, events)["content"], read["content"]):
        later = following(sent, content)  # type: ignore[arg-type]
        theirs = later.history.canonical_items(1)[:-1]
        assert len(chain.replies) == len(theirs)
        assert all(map(is_replay, chain.replies, theirs))
        if later.history.canonical_items(1):
            assert Continue(chain, chain.length) == decide(chain, later)


@given(outputs())
@settings(max_examples=100, deadline=None)
def test_a_client_that_is_shown_no_thinking_is_known_too(output: list[Json]) -> None:
    """Where a request wants no thinking, its absence in the replay is no difference."""
    sent = turn(QUESTION, tools=TOOLS)
    chain = chain_of(sent, output)
    content = whole(sent, events_of(output))["content"]
    assert not [block for block in content if "thinking" in block["type"]]
    later = following(sent, content, thinking=None)
    assert Continue(chain, chain.length) == decide(chain, later)


def drawn(dice: random.Random) -> list[Json]:
    """An output of which every item is shown."""
    makers = [
        lambda index: message(f"said {dice.random()}", index, phase="commentary"),
        lambda index: message(f"said {dice.random()}", index),
        lambda index: call(json.dumps({"a": dice.randrange(99), "b": ["x"]}), index),
        lambda index: reasoning([f"thought {dice.random()}"], index, f"gAAAA{dice.random()}"),
        lambda index: reasoning([], index, f"gBBBB{dice.random()}"),
        lambda index: search(index, query=f"q {dice.random()}"),
    ]
    return [dice.choice(makers)(index) for index in range(dice.randint(1, 6))]


def edits_of(content: list[Json]) -> Iterator[list[Json]]:
    """Every edit of a replay that means something else: of texts, inputs, names, ids and order."""
    bearing = [at for at, block in enumerate(content) if _bears_an_item(block, content[:at])]
    for at in bearing:
        before, block, behind = content[:at], content[at], content[at + 1 :]
        for edited in _edited(block):
            yield [*before, edited, *behind]
        yield [*before, {"type": "text", "text": "inserted"}, block, *behind]
        if "thinking" not in block["type"]:
            yield [*before, *behind]
    for one, two in pairwise(bearing):
        if content[one] != content[two]:
            swapped = [*content]
            swapped[one], swapped[two] = content[two], content[one]
            yield swapped


def _bears_an_item(block: Json, before: list[Json]) -> bool:
    match block["type"]:
        case "web_search_tool_result":
            return False
        case "server_tool_use":
            return any(map(_is_reasoning, before))
        case "thinking" | "redacted_thinking":
            return _is_reasoning(block)
        case _:
            return True


def _is_reasoning(block: Json) -> bool:
    seal = opened(block.get("signature") or block.get("data"))
    return seal is not None and seal.has_item


def _edited(block: Json) -> Iterator[Json]:
    match block["type"]:
        case "text":
            yield block | {"text": block["text"] + "!"}
            yield block | {"text": block["text"][1:]}
        case "tool_use":
            yield block | {"input": block["input"] | {"a": 100}}
            yield block | {"input": {}}
            yield block | {"name": "Write"}
            yield block | {"id": "call_other"}
        case "server_tool_use":
            yield block | {"input": block["input"] | {"query": "another"}}
            yield block | {"id": block["id"] + "0"}
        case "thinking":
            yield block | {"thinking": block["thinking"] + "!"}
            yield block | {"signature": _resealed(block["signature"])}
        case "redacted_thinking":
            yield block | {"data": _resealed(block["data"])}


def _resealed(signature: str) -> str:
    seal = opened(signature)
    assert seal is not None
    return sealed(seal.i, msgspec.Raw(b'"gCCCC"'))


def test_ten_thousand_edits_are_no_replays() -> None:
    """An answer that was changed in any of its blocks never goes on from the one that was made."""
    seed, count = 20261129, 0
    dice = random.Random(seed)
    sent = turn(QUESTION, **MEMBERS)
    while count < EDITS:
        output = drawn(dice)
        chain = chain_of(sent, output)
        content = whole(sent, events_of(output))["content"]
        assert Continue(chain, chain.length) == decide(chain, following(sent, content))
        for edited in edits_of(content):
            count += 1
            assert decide(chain, following(sent, edited)) is None, (seed, count, content, edited)


def test_a_search_comes_back_beside_its_reasoning_alone() -> None:
    """The upstream refuses one without the other, and a client may leave the reasoning out."""
    output = [
        search(0, query="early"),
        reasoning([], 1),
        search(2, query="a"),
        search(3, query="b"),
    ]
    sent = turn(QUESTION, **MEMBERS)
    content = whole(sent, events_of(output))["content"]
    later = following(sent, content)
    chain = chain_of(sent, output)
    assert Continue(chain, chain.length) == decide(chain, later)
    kinds = [each["type"] for each in items_of(later)[1:-1]]
    assert ["reasoning", "web_search_call", "web_search_call"] == kinds
    bare = [block for block in content if "thinking" not in block["type"]]
    assert [] == items_of(following(sent, bare))[1:-1]


@pytest.mark.parametrize("thinking", [None, THINKING])
def test_a_search_without_reasoning_goes_on(thinking: Any) -> None:
    """What is not sent again is no part of what was answered."""
    members = {**MEMBERS, "thinking": thinking}
    sent, output = turn(QUESTION, **members), [search(0, query="x"), message("found", 1)]
    content = whole(sent, events_of(output))["content"]
    chain, later = chain_of(sent, output), following(sent, content, thinking=thinking)
    assert Continue(chain, chain.length) == decide(chain, later)
    assert ["message"] == [each["type"] for each in items_of(later)[1:-1]]


@pytest.mark.parametrize("shown", ["thinking", "redacted_thinking"])
def test_thinking_that_is_left_out_but_for_its_seal_is_the_same(shown: str) -> None:
    """The seal is what the model reads; a summary may be left out, as in the Responses API."""
    sent, output = turn(QUESTION, **MEMBERS), [reasoning(["why"]), message("x", 1)]
    (thought, said) = whole(sent, events_of(output))["content"]
    seal = thought["signature"]
    emptied = {"type": "thinking", "thinking": "", "signature": seal}
    changed = emptied if shown == "thinking" else {"type": "redacted_thinking", "data": seal}
    chain = chain_of(sent, output)
    assert Continue(chain, chain.length) == decide(chain, following(sent, [changed, said]))


def test_arguments_that_are_no_object_are_known_again() -> None:
    """What an upstream wrote as arguments comes back in the client's wrapping, or as it was."""
    for arguments in ('{"a": ', "[1]", '"text"', "nonsense"):
        sent, output = turn(QUESTION, **MEMBERS), [call(arguments)]
        content = whole(sent, events_of(output))["content"]
        wrapped = {"__unparsedToolInput": {"raw": arguments, "len": len(arguments)}}
        assert wrapped == content[0]["input"]
        chain = chain_of(sent, output)
        assert Continue(chain, chain.length) == decide(chain, following(sent, content))


@pytest.mark.parametrize(
    "change", [{"beside": 1}, {"__unparsedToolInput": {"raw": "[1]", "len": 3, "beside": 1}}]
)
def test_arguments_in_a_wrapping_that_has_more_are_not_known(change: Json) -> None:
    """What stands beside them is not lost, and the replay is not taken for the original."""
    sent, output = turn(QUESTION, **MEMBERS), [call("[1]")]
    [block] = whole(sent, events_of(output))["content"]
    edited = {**block, "input": block["input"] | change}
    later, chain = following(sent, [edited]), chain_of(sent, output)
    assert Continue(chain, chain.length) != decide(chain, later)
    assert edited["input"] == json.loads(items_of(later)[1]["arguments"])


def test_arguments_whose_wrapping_holds_no_text_are_kept_as_they_are() -> None:
    """Arguments are a text upstream."""
    block = {"type": "tool_use", "id": "c", "name": "Read"}
    wrapped = {"__unparsedToolInput": {"raw": 5}}
    arguments = items_of(turn(QUESTION, replayed([block | {"input": wrapped}]), QUESTION))[1]
    assert wrapped == json.loads(arguments["arguments"])


def test_an_answer_that_was_cut_is_not_gone_on_from() -> None:
    """The upstream holds more than its client saw, so that the next turn begins anew."""
    sent = turn(QUESTION, **MEMBERS, stop_sequences=["STOP"])
    output = [message("before STOP after")]
    content = whole(sent, events_of(output))["content"]
    assert [{"type": "text", "text": "before "}] == content
    assert sent.image([encoded(item) for item in output]) is None


def test_phases_of_messages_come_back() -> None:
    """In the seal of the reasoning before, or in a block of its own where there is none."""
    sent = turn(QUESTION, **MEMBERS)
    output = [
        message("a", 0, phase="commentary"),
        reasoning(["why"], 1),
        message("b", 2, phase="final_answer"),
        message("c", 3),
    ]
    events = events_of(output)
    for content in (
        whole(sent, events)["content"],
        accumulated(streamed(sent, events)).to_dict()["content"],
    ):
        items = items_of(following(sent, content))[1:-1]  # type: ignore[arg-type]
        assert ["commentary", None, "final_answer", None] == [each.get("phase") for each in items]


@pytest.mark.parametrize("sources", [[None], 5, [{"url": "a"}, "b"]])
def test_sources_that_are_none_are_not_shown(sources: Any) -> None:
    """The search itself is, streamed and whole, and it is known again."""
    sent = turn(QUESTION, **MEMBERS)
    output = [reasoning(["why"]), search(1, query="q", sources=sources)]
    events = events_of(output)
    content = whole(sent, events)["content"]
    assert [{"type": "search", "query": "q"}, []] == [content[1]["input"], content[2]["content"]]
    assert content == accumulated(streamed(sent, events)).to_dict()["content"]
    chain = chain_of(sent, output)
    assert Continue(chain, chain.length) == decide(chain, following(sent, content))


@pytest.mark.parametrize("ids", [{"call_id": "c" * 70}, {"call_id": None}, {"call_id": ""}])
def test_a_call_that_the_client_knows_by_another_id_is_not_gone_on_from(ids: Json) -> None:
    """Its result would name a call that the upstream does not hold."""
    sent = turn(QUESTION, **MEMBERS)
    output = [message("said"), call("{}", 1, **ids)]
    chain = chain_of(sent, output)
    later = following(sent, whole(sent, events_of(output))["content"])
    assert Continue(chain, chain.length) != decide(chain, later)
    theirs = later.history.canonical_items(1)[:-1]
    assert not all(map(is_replay, chain.replies, theirs))
