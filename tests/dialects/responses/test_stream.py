"""What an upstream sends, decoded to events and their kinds."""

import json
from typing import Any

import pytest

from longwire.core.events import Event, Kind
from longwire.dialects.responses.stream import (
    MalformedEvent,
    decode_event,
    decode_item,
    failed_as,
    kind_of,
    terminal_of,
)

CREATED = {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}


def raw(kind: str, **members: Any) -> bytes:
    return json.dumps({"type": kind, **members}).encode()


def event(kind: str, **members: Any) -> Event:
    return decode_event(raw(kind, **members))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("response.created", Kind.OPENING),
        ("response.queued", Kind.OPENING),
        ("response.output_text.delta", Kind.OUTPUT),
        ("response.a_future_event", Kind.OUTPUT),
        ("response.output_item.done", Kind.ITEM),
        ("response.completed", Kind.COMPLETED),
        ("response.error", Kind.ERROR),
        ("response.metadata", Kind.VENDOR),
        ("codex.rate_limits", Kind.VENDOR),
        ("keepalive", Kind.VENDOR),
    ],
)
def test_kind_of_a_type(name: str, kind: Kind) -> None:
    """Unknown events of the response pass, unknown frames of a vendor do not."""
    assert kind is kind_of(name)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (raw("response.created", response=CREATED), (Kind.OPENING, "resp_1")),
        (raw("response.output_text.delta", delta="x"), (Kind.OUTPUT, None)),
        (raw("response.output_item.done", item=MESSAGE, output_index=0), (Kind.ITEM, None)),
        (raw("response.completed", response=CREATED), (Kind.COMPLETED, "resp_1")),
        (raw("response.failed", response={"id": "resp_2"}), (Kind.FAILED, "resp_2")),
        (raw("response.incomplete", response={}), (Kind.INCOMPLETE, None)),
        (raw("response.cancelled"), (Kind.CANCELLED, None)),
        (raw("error", status=400, error={"code": "x"}), (Kind.ERROR, None)),
        (raw("error", status=401, error={"code": "x"}), (Kind.FATAL_ERROR, None)),
        (raw("error", status=403, error={}), (Kind.FATAL_ERROR, None)),
        (
            raw("error", error={"code": "websocket_connection_limit_reached"}),
            (Kind.FATAL_ERROR, None),
        ),
        (raw("codex.rate_limits", rate_limits={}), (Kind.VENDOR, None)),
        (
            raw("response.failed", response={"id": "r", "error": {"code": "server_error"}}),
            (Kind.FAILED, "r"),
        ),
    ],
)
def test_a_frame_is_decoded_to_its_kind(frame: bytes, expected: tuple[Kind, str | None]) -> None:
    """With the id of the response it carries; the rest stays raw."""
    decoded = decode_event(frame)
    assert (*expected, frame) == (decoded.kind, decoded.response_id, decoded.raw)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": "rate_limit_exceeded", "message": "at capacity"}, Kind.ERROR),
        ({"code": "429", "message": "at capacity"}, Kind.ERROR),
        ({"code": "server_error"}, Kind.ERROR),
        ({"code": "insufficient_quota"}, Kind.ERROR),
        ({"code": "previous_response_not_found"}, Kind.ERROR),
        ({"message": "Duplicate item found with id msg_1."}, Kind.ERROR),
        ({"code": "websocket_connection_limit_reached"}, Kind.FATAL_ERROR),
        ({"code": "invalid_api_key"}, Kind.FATAL_ERROR),
        ({"code": "invalid_prompt"}, Kind.FAILED),
        ({"code": "context_length_exceeded"}, Kind.FAILED),
        ({"code": "image_content_policy_violation"}, Kind.FAILED),
        ({"message": "boom"}, Kind.FAILED),
        ({}, Kind.FAILED),
    ],
)
def test_a_response_that_failed_before_output_is_the_error_it_names(error, expected):
    """Unless the error is the request's own, or unknown."""
    echo = "connection limit reached (60 minutes)"
    response = {"id": "r", "instructions": echo, "error": error}
    assert expected is failed_as(raw("response.failed", response=response))


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("completed", "response.completed"),
        ("incomplete", "response.incomplete"),
        ("failed", "response.failed"),
        ("cancelled", "response.cancelled"),
        ("queued", "response.completed"),
        (None, "response.completed"),
    ],
)
def test_the_alias_done_becomes_the_terminal_it_means(status: str | None, name: str) -> None:
    """Clients do not know `response.done` and would wait for ever."""
    decoded = event("response.done", response={"id": "r", "status": status}, sequence_number=3)
    assert (name, name, "r") == (decoded.name, json.loads(decoded.raw)["type"], decoded.response_id)


@pytest.mark.parametrize(
    "frame",
    [b"", b"{", b"[]", b"{}", b'{"type":5}', b'{"type":"x"}y', b"\xff", b'{"type":"a\\nb"}'],
)
def test_what_is_no_event_is_malformed(frame: bytes) -> None:
    """Never guessed at."""
    with pytest.raises(MalformedEvent):
        decode_event(frame)


@pytest.mark.parametrize("item", [{}, 5, None, "message", {"id": "msg_1"}])
def test_a_finished_item_says_what_it_is(item: object) -> None:
    """If only by the members that it has."""
    with pytest.raises(MalformedEvent):
        decode_item(raw("response.output_item.done", item=item, output_index=0))
    placed = raw("response.output_item.done", item={"content": "x"}, output_index="0")
    assert 0 == decode_item(placed)[0]


@pytest.mark.parametrize("members", [{}, {"item": {"type": "message"}}])
def test_a_finished_item_needs_its_place(members: dict[str, Any]) -> None:
    """An item that cannot be placed is malformed."""
    with pytest.raises(MalformedEvent):
        decode_item(raw("response.output_item.done", **members))


def test_a_whole_response_is_its_own_terminal() -> None:
    """A JSON answer becomes the one event that a stream would have ended with."""
    terminal = terminal_of(b'{"id":"resp_1","status":"incomplete","n":1.50}')
    assert (Kind.INCOMPLETE, "resp_1") == (terminal.kind, terminal.response_id)
    assert b'"n":1.50' in terminal.raw
