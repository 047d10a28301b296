"""Bugs that were reported of other gateways before Anthropic, by their numbers in the reference."""

from itertools import pairwise

import pytest

from longwire.dialects.seals import Seal, sealed
from tests.dialects.messages.upstreams import (
    OLDER,
    Json,
    answer,
    block,
    body_of,
    call_of,
    called,
    ending,
    output,
    read,
    said,
    start,
    stream_of,
    terminal_in,
    text,
    user,
)

EFFORT = {"effort": "high", "summary": "auto"}


def thought(words: str, issuer: str = "anthropic", signature: str = "EqQB", **members: str) -> Json:
    """Reasoning that somebody has sealed."""
    content = sealed(Seal(issuer, signature, **members)) if issuer else None
    parts = [{"type": "summary_text", "text": words}]
    return {"type": "reasoning", "id": "rs_1", "summary": parts, "encrypted_content": content}


def blocks_in(*items: Json) -> list[Json]:
    return [each for _, blocks in said(*items) for each in blocks]


def test_case_04_a_tool_turn_without_thinking_turns_thinking_off() -> None:
    """An older model refuses to think where its last call has no thought before it."""
    items = (user("a"), called("toolu_1"), output("toolu_1"))
    assert "thinking" not in body_of(*items, model=OLDER, reasoning=EFFORT)
    with_thought = (items[0], thought("hm"), *items[1:])
    sent = body_of(*with_thought, model=OLDER, reasoning=EFFORT)
    assert {"type": "enabled", "budget_tokens": 24576} == sent["thinking"]
    answered = (*items, answer("done"), user("b"))
    assert "thinking" in body_of(*answered, model=OLDER, reasoning=EFFORT)
    assert {"type": "adaptive", "display": "summarized"} == body_of(*items, reasoning=EFFORT)[
        "thinking"
    ]


def test_case_06_a_thought_that_lost_its_signature_is_left_out() -> None:
    """Block and signature go together, or not at all."""
    assert [text("q"), text("a"), text("b")] == blocks_in(
        user("q"), thought("hm", issuer=""), answer("a"), user("b")
    )


@pytest.mark.parametrize("issuer", ["gemini", "deepseek", "responses"])
def test_case_07_a_foreign_signature_is_never_sent(issuer: str) -> None:
    """Issuers are told apart by the seal, and another one's thoughts are not shown as text."""
    assert [text("q"), text("a"), text("b")] == blocks_in(
        user("q"), thought("hm", issuer=issuer), answer("a"), user("b")
    )


def test_case_08_a_thought_without_signature_wedges_nothing() -> None:
    """What came without a signature is not sent back, so that the next turn is taken."""
    opened = {"type": "thinking", "thinking": ""}
    frames = block(0, opened, {"type": "thinking_delta", "thinking": "hm"})
    events = read([stream_of([start(), *frames, *ending()])])
    item = terminal_in(events)["output"][0]
    assert ("hm", None) == (item["summary"][0]["text"], item["encrypted_content"])
    assert [text("q"), text("b")] == blocks_in(user("q"), item, user("b"))


def test_case_45_cache_tokens_of_the_end_replace_those_of_the_start() -> None:
    """Figures are cumulative: nothing is added up."""
    begun = start(
        usage={"input_tokens": 2, "cache_creation_input_tokens": 3068, "output_tokens": 69}
    )
    end = ending(input_tokens=6, cache_creation_input_tokens=3337, cache_read_input_tokens=6289)
    usage = terminal_in(read([stream_of([begun, *end])]))["usage"]
    details = {"cached_tokens": 6289, "cache_write_tokens": 3337}
    assert (6 + 3337 + 6289, details, 5) == (
        usage["input_tokens"],
        usage["input_tokens_details"],
        usage["output_tokens"],
    )


def test_case_47_the_input_counts_what_was_cached() -> None:
    """Anthropic's `input_tokens` is what was neither read from the cache nor written to it."""
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 70}
    events = read([stream_of([start(usage={**usage, "output_tokens": 1}), *ending()])])
    assert 100 == terminal_in(events)["usage"]["input_tokens"]


def places_of(body: Json) -> list[str]:
    """Which words have a mark."""
    blocks = [each for message in body["messages"] for each in message["content"]]
    return [each.get("text") or each["content"] for each in blocks if "cache_control" in each]


def test_case_50_a_mark_stays_where_it_is() -> None:
    """The second mark is where the last one of the request before was, and moves with no window."""
    items: list[Json] = [user("q")]
    marks = [places_of(body_of(*items))]
    for number in range(30):
        items += [called(f"toolu_{number}"), output(f"toolu_{number}", f"r{number}")]
        marks.append(places_of(body_of(*items)))
    assert [["q"], ["q", "r0"]] == marks[:2]
    assert all(before[-1] == after[0] for before, after in pairwise(marks))


def test_case_58_thoughts_images_and_structured_results_are_kept() -> None:
    """All kinds of blocks go over: none is dropped on the way."""
    image = {"type": "input_image", "image_url": "data:image/png;base64,aWNv"}
    parts = [{"type": "input_text", "text": "seen"}, image]
    sent = blocks_in(
        {"type": "message", "role": "user", "content": [image]},
        thought("hm"),
        thought("", kind="redacted", signature="data"),
        called("toolu_1"),
        {"type": "function_call_output", "call_id": "toolu_1", "output": parts},
    )
    source = {"type": "base64", "media_type": "image/png", "data": "aWNv"}
    shown = {"type": "image", "source": source}
    assert [
        shown,
        {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "data"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}},
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("seen"), shown]},
    ] == sent


def test_case_60_blocks_stand_in_the_order_of_their_items() -> None:
    """Text stays before its call, and a second thought behind the first call, as another step."""
    sent = said(
        user("q"),
        thought("one", signature="s1"),
        answer("look"),
        called("toolu_1"),
        thought("two", signature="s2"),
        called("toolu_2"),
        output("toolu_1"),
        output("toolu_2"),
    )
    kinds = [(role, [each["type"] for each in blocks]) for role, blocks in sent]
    assert [
        ("user", ["text"]),
        ("assistant", ["thinking", "text", "tool_use"]),
        ("user", ["tool_result"]),
        ("assistant", ["thinking", "tool_use"]),
        ("user", ["tool_result"]),
    ] == kinds


def test_case_61_arguments_go_verbatim() -> None:
    """Numbers keep their spelling, as do keys their order."""
    assert (
        b'"input":{"b":1.50,"a":1e3}' in call_of(user("q"), called("x", '{"b":1.50,"a":1e3}')).body
    )
