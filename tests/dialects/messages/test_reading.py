"""Streams of Anthropic's read as events of the Responses API, odd ones among them."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from longwire.core.events import Event, Kind
from longwire.core.rules.exchange import Exchange
from longwire.dialects.client_tools import Declared
from longwire.dialects.messages.reading import MessagesReading
from longwire.dialects.ports import Fallback
from longwire.dialects.responses.errors import decode_problem
from longwire.dialects.responses.output import echo_of
from longwire.dialects.seals import Seal, opened
from longwire.upstream.event_reader import EventReader
from tests.dialects.messages.upstreams import (
    Json,
    block,
    call_of,
    encoded,
    ending,
    read,
    start,
    stream_of,
    terminal_in,
    user,
)

TEXT = {"type": "text", "text": ""}


def deltas(kind: str, name: str, *pieces: str) -> list[Json]:
    return [{"type": kind, name: piece} for piece in pieces]


def written(*pieces: str, index: int = 0) -> list[Json]:
    """A block of text."""
    return block(index, TEXT, *deltas("text_delta", "text", *pieces))


def use(*pieces: str, index: int = 0, name: str = "look") -> list[Json]:
    """A block of a call."""
    begun = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
    return block(index, begun, *deltas("input_json_delta", "partial_json", *pieces))


def names_of(events: Sequence[Event]) -> list[str]:
    return [event.name for event in events]


def output_of(*frames: Json, tools: dict[str, Declared] | None = None) -> list[Json]:
    """The items of an answer."""
    return terminal_in(read([stream_of([start(), *frames, *ending()])], tools))["output"]


def test_a_text_is_written_as_a_strict_upstream_does() -> None:
    """Every item and part begins and ends, and the texts of the end are whole."""
    events = read([stream_of([start(), {"type": "ping"}, *written("Hel", "lo"), *ending()])])
    assert [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ] == names_of(events)
    response = terminal_in(events)
    assert ("resp_msg_1", "completed") == (response["id"], response["status"])
    assert "lw_msg_resp_msg_1_0" == response["output"][0]["id"]
    assert "Hello" == response["output"][0]["content"][0]["text"]


def test_texts_side_by_side_are_parts_of_one_message() -> None:
    """A text that cites comes in many blocks; it is one message all the same."""
    items = output_of(*written("a"), *written("b", index=1), *use(index=2), *written("c", index=3))
    assert [["a", "b"], None, ["c"]] == [
        [part["text"] for part in item["content"]] if item["type"] == "message" else None
        for item in items
    ]


def test_thinking_is_reasoning_with_a_sealed_signature() -> None:
    """Its text comes as a summary, its signature at the end, for Anthropic alone."""
    pieces = [
        *deltas("thinking_delta", "thinking", "h", "m"),
        *deltas("signature_delta", "signature", "EqQB"),
    ]
    events = read(
        [stream_of([start(), *block(0, {"type": "thinking", "thinking": ""}, *pieces), *ending()])]
    )
    assert 2 == names_of(events).count("response.reasoning_summary_text.delta")
    item = terminal_in(events)["output"][0]
    assert [{"type": "summary_text", "text": "hm"}] == item["summary"]
    assert Seal("anthropic", "EqQB") == opened(item["encrypted_content"])


def test_thinking_that_is_omitted_keeps_its_signature() -> None:
    """A block without text is reasoning without summary, and can be sent back."""
    begun = {"type": "thinking", "thinking": "", "signature": ""}
    signed = deltas("signature_delta", "signature", "EqQB")
    item = output_of(*block(0, begun, *signed))[0]
    assert ([], "EqQB") == (item["summary"], opened(item["encrypted_content"]).content)


def test_redacted_thinking_is_sealed_whole() -> None:
    """What nobody may read goes back as it came."""
    item = output_of(*block(0, {"type": "redacted_thinking", "data": "xyz"}))[0]
    assert Seal("anthropic", "xyz", "redacted") == opened(item["encrypted_content"])


@pytest.mark.parametrize(
    ("pieces", "arguments", "status"),
    [
        (['{"a":', "1.50}"], '{"a":1.50}', "completed"),
        ([""], "{}", "completed"),
        ([], "{}", "completed"),
        (['{"a":'], '{"a":', "incomplete"),
    ],
    ids=["pieces", "an empty one", "none", "cut short"],
)
def test_arguments_travel_verbatim(pieces: list[str], arguments: str, status: str) -> None:
    """Nothing is an empty object; what was cut short is not called complete."""
    events = read([stream_of([start(), *use(*pieces), *ending("tool_use")])])
    item = terminal_in(events)["output"][0]
    assert (arguments, status) == (item["arguments"], item["status"])
    name = "response.function_call_arguments.delta"
    said = [json.loads(event.raw)["delta"] for event in events if event.name == name]
    assert arguments == "".join(said)


@pytest.mark.parametrize(
    ("tool", "pieces", "wanted"),
    [
        (
            {"type": "custom", "name": "apply_patch"},
            ['{"input": "*** Begin\\n', '\\u00e9"}'],
            {"type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin\né"},
        ),
        (
            {"type": "custom", "name": "apply_patch"},
            ["not JSON"],
            {"type": "custom_tool_call", "name": "apply_patch", "input": "not JSON"},
        ),
        (
            {"type": "local_shell"},
            ['{"type":"exec","command":["ls"]}'],
            {"type": "local_shell_call", "action": {"type": "exec", "command": ["ls"], "env": {}}},
        ),
        (
            {"type": "local_shell"},
            ["ls"],
            {"type": "custom_tool_call", "name": "local_shell", "input": "ls"},
        ),
        (
            {"type": "tool_search", "execution": "client"},
            ['{"query":"x"}'],
            {"type": "tool_search_call", "execution": "client", "arguments": {"query": "x"}},
        ),
        (
            {"type": "apply_patch"},
            ['{"type":"delete_file","path":"a"}'],
            {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a"}},
        ),
        (
            {
                "type": "namespace",
                "name": "git",
                "tools": [{"type": "function", "name": "log", "parameters": None}],
            },
            ["{}"],
            {"type": "function_call", "name": "log", "namespace": "git", "arguments": "{}"},
        ),
        (
            {"type": "function", "name": "a.b", "parameters": None},
            ["{}"],
            {"type": "function_call", "name": "a.b", "arguments": "{}"},
        ),
    ],
    ids=[
        "custom",
        "custom, no JSON",
        "shell",
        "no shell",
        "tools",
        "patch",
        "namespace",
        "odd name",
    ],
)
def test_calls_are_of_the_kind_that_was_offered(
    tool: Json, pieces: list[str], wanted: Json
) -> None:
    """A client gets back calls of the tools it has, by its own names."""
    call = call_of(user("q"), tools=[tool])
    name = json.loads(call.body)["tools"][0]["name"]
    reading = call.reading(Fallback("x", 0))
    events = reading.feed(stream_of([start(), *use(*pieces, name=name), *ending("tool_use")]))
    item = terminal_in(events)["output"][0]
    assert wanted == {key: item[key] for key in wanted}
    assert "toolu_1" == item["call_id"]


def test_a_search_has_its_query_its_pages_and_its_citations() -> None:
    """Server tool and result are one `web_search_call`; what a text cites is annotated."""
    query = deltas("input_json_delta", "partial_json", '{"query":', '"news"}')
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    page = {
        "type": "web_search_result",
        "url": "https://a.b",
        "title": "A",
        "encrypted_content": "",
    }
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [page]}
    cited = {"type": "web_search_result_location", "url": "https://a.b", "title": "A"}
    pieces = [
        *deltas("text_delta", "text", "new"),
        {"type": "citations_delta", "citation": cited},
    ]
    items = output_of(*block(0, search, *query), *block(1, found), *block(2, TEXT, *pieces))
    sources = [{"type": "url", "url": "https://a.b"}]
    assert {"type": "search", "query": "news", "sources": sources} == items[0]["action"]
    noted = {"type": "url_citation", "url": "https://a.b", "title": "A"}
    assert [noted | {"start_index": 0, "end_index": 3}] == items[1]["content"][0]["annotations"]


def test_a_search_that_failed_says_so() -> None:
    """An error stands where its results would."""
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    error = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    found = {"type": "web_search_tool_result", "tool_use_id": "s", "content": error}
    item = output_of(*block(0, search), *block(1, found))[0]
    assert ("failed", "x", []) == (
        item["status"],
        item["action"]["query"],
        item["action"]["sources"],
    )


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("end_turn", "completed", None),
        ("tool_use", "completed", None),
        ("stop_sequence", "completed", None),
        ("something_new", "completed", None),
        ("max_tokens", "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", "incomplete", "max_output_tokens"),
        ("pause_turn", "incomplete", "max_output_tokens"),
        ("refusal", "incomplete", "content_filter"),
    ],
)
def test_why_an_answer_ends(reason: str, status: str, why: str | None) -> None:
    """Reasons that are no end make an incomplete response."""
    events = read([stream_of([start(), *written("a"), *ending(reason)])])
    response = terminal_in(events)
    details = response["incomplete_details"]
    assert (status, why) == (response["status"], details["reason"] if details else None)
    assert f"response.{status}" == events[-1].name


def test_an_error_in_a_stream_keeps_its_code() -> None:
    """Overload is known as such, so that it is tried again elsewhere."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    events = read([stream_of([start(), *written("a")[:2], error])])
    assert Kind.ERROR == events[-1].kind
    problem = decode_problem(events[-1].raw)
    assert (529, "overloaded_error") == (problem.status, problem.code)


def test_a_stream_that_breaks_off_has_no_terminal() -> None:
    """Who reads it sees the break: nothing is made up at its end."""
    events = read([stream_of([start(), *written("a"), ending()[0]])])
    assert "response.content_part.done" == events[-1].name


def test_an_answer_that_begins_anew_is_the_second_one() -> None:
    """What the first one left open is finished for the stream; the terminal is without it."""
    again = start(id="msg_2")
    frames = [start(), *written("a"), *use('{"a":', index=1)[:2], again, *written("b"), *ending()]
    events = read([stream_of(frames)])
    response = terminal_in(events)
    assert ["b"] == [item["content"][0]["text"] for item in response["output"]]
    assert "resp_msg_1" == response["id"]
    items = [json.loads(event.raw)["item"] for event in events if event.kind is Kind.ITEM]
    assert [
        ("message", "completed"),
        ("function_call", "incomplete"),
        ("message", "completed"),
    ] == [(item["type"], item["status"]) for item in items]


def test_what_is_read_of_an_answer_that_begins_anew_is_the_second_one() -> None:
    """A whole answer has nothing of the first one, whatever API its client speaks."""
    exchange = Exchange()
    exchange.step(Kind.SENT)
    reader = EventReader(exchange)
    reader.take_all(read([stream_of([start(), *written("a"), start(), *written("b"), *ending()])]))
    assert ["b"] == [json.loads(item)["content"][0]["text"] for item in reader.aggregate.output]


@pytest.mark.parametrize("other", [use(index=1), written("c", index=1)], ids=["call", "text"])
def test_blocks_that_are_open_at_once_lose_no_text(other: list[Json]) -> None:
    """A stream may begin one block before it ends the other."""
    first = written("a", "b")
    items = output_of(*first[:2], *other[:1], *first[2:], *other[1:])
    texts = [part["text"] for item in items for part in item.get("content", ())]
    assert "ab" == "".join(texts).replace("c", "")
    assert len({item["id"] for item in items}) == len(items)


def test_what_is_in_an_unknown_block_is_not_shown() -> None:
    """Its pieces may look like text: nobody knows what they are for."""
    assert [] == output_of(*block(0, {"type": "new_thing"}, *deltas("text_delta", "text", "a")))


def test_a_delta_without_a_start_begins_its_block() -> None:
    """What the model said is shown, whatever its upstream forgot."""
    items = output_of(*written("hi")[1:])
    assert ["hi"] == [part["text"] for part in items[0]["content"]]


def test_an_answer_without_a_start_is_read_all_the_same() -> None:
    """Its id is the one that it is given."""
    response = terminal_in(read([stream_of([*written("a"), *ending()])], identity="abc"))
    assert ("resp_abc", "a") == (response["id"], response["output"][0]["content"][0]["text"])


def test_the_model_that_took_over_is_named() -> None:
    """A fallback block says which one answers."""
    fallback = {"type": "fallback", "from": {"model": "a"}, "to": {"model": "claude-b"}}
    frames = [start(), *block(0, fallback), *written("x", index=1), *ending()]
    assert "claude-b" == terminal_in(read([stream_of(frames)]))["model"]


def test_half_an_emoji_is_put_together() -> None:
    """Halves in two pieces are one character in the whole text."""
    stream = stream_of([start(), *written("@1", "@2"), *ending()])
    stream = stream.replace(b"@1", rb"\ud83d").replace(b"@2", rb"\ude00")
    content = terminal_in(read([stream]))["output"][0]["content"]
    assert "\U0001f600" == content[0]["text"]


@pytest.mark.parametrize("data", [b"{", b"[1]", b'{"type":"content_block_delta","index":"x"}'])
def test_an_event_that_is_none_breaks_the_answer(data: bytes) -> None:
    """Nothing is passed over that may have been part of the answer."""
    with pytest.raises(ValueError, match="cannot be read"):
        MessagesReading(Fallback("x", 0), {}, echo_of({})).feed(b"data: " + data + b"\n\n")


def test_what_came_before_a_broken_event_is_read() -> None:
    """However the bytes were cut, and then the answer breaks."""
    reading = MessagesReading(Fallback("x", 0), {}, echo_of({}))
    events = reading.feed(stream_of([start(), *written("a")[:2]]) + b"data: {\n\n")
    assert "response.output_text.delta" == events[-1].name
    with pytest.raises(ValueError, match="cannot be read"):
        reading.end()


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "content_block_delta", "index": 7, "delta": {"type": "new_delta", "text": "a"}},
        {"type": "content_block_stop", "index": 7},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "new_thing"}},
        {"type": "something_new", "value": 1},
    ],
)
def test_what_is_unknown_is_passed_over(frame: Json) -> None:
    """New kinds of events and blocks harm no answer."""
    assert [] == output_of(frame)


@pytest.mark.parametrize("usage", [None, 5, {"input_tokens": "x"}])
def test_a_usage_that_is_none_spoils_no_answer(usage: Any) -> None:
    """Tokens are unknown then."""
    events = read([stream_of([start(usage=usage), *written("a"), {"type": "message_stop"}])])
    assert terminal_in(events)["usage"] is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}',
        b'{"error":"no"}',
        b"<html>",
        b"",
    ],
)
def test_a_body_that_is_no_message_is_an_error(body: bytes) -> None:
    """A success with an error inside is that error."""
    events = MessagesReading(Fallback("x", 0), {}, echo_of({})).whole(body)
    assert [Kind.ERROR] == [event.kind for event in events]


def test_a_count_below_zero_counts_nothing() -> None:
    """What was known before stays."""
    frames = [start(), *written("a"), *ending(output_tokens=-5)]
    usage = terminal_in(read([stream_of(frames)]))["usage"]
    assert (10, 1) == (usage["input_tokens"], usage["output_tokens"])


def test_nothing_follows_the_end() -> None:
    """What comes behind `message_stop` is nobody's."""
    frames = [start(), *written("a"), *ending(), *written("b", index=1)]
    assert "response.completed" == read([stream_of(frames)])[-1].name


def test_a_message_that_comes_whole_is_read_as_its_stream() -> None:
    """The same items, and the same end."""
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    message = {**start()["message"], "content": content, "stop_reason": "end_turn"}
    whole = MessagesReading(Fallback("x", 0), {}, echo_of({})).whole(encoded(message))
    streamed = read([stream_of([start(), *written("a"), *written("b", index=1), *ending()])])
    assert terminal_in(streamed)["output"] == terminal_in(whole)["output"]


def test_calls_that_an_upstream_gives_one_id_are_told_apart() -> None:
    """Clients keep one of two calls with one id."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    stream = stream_of([start(), *block(0, call), *block(1, call), *ending("tool_use")])
    output = terminal_in(read([stream]))["output"]
    assert ["toolu_1", "toolu_1_again_2"] == [each["call_id"] for each in output]
