"""Turns over HTTP, from a client through the gateway to an upstream."""

import asyncio
import json

import openai
import pytest
from structlog.testing import capture_logs

from longwire.emulator import Fault, Script
from tests.conftest import serving, settings_for
from tests.doubles.canned import COMPLETED, CREATED, DELTA, answer, canned, sse
from tests.server.conftest import between, dial, events_of, is_envelope

TURN = b'{"model":"gpt-5.5","input":"hi"}'
STREAMED = b'{"model":"gpt-5.5","input":"hi","stream":true}'
TOOLS = [
    {
        "type": "function",
        "name": "read",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
    }
]
OPENING = answer(sse(CREATED, DELTA), size=10_000)


def answered(response):
    """What a client adds to its history: the output, and a result for each call."""
    output = [item.model_dump(exclude_none=True) for item in response.output]
    calls = [item for item in response.output if item.type == "function_call"]
    return output + [
        {"type": "function_call_output", "call_id": call.call_id, "output": "done"}
        for call in calls
    ]


def outcomes(lines):
    """How the turns in a log ended; there is nothing else in it."""
    assert {line["event"] for line in lines} == {"turn"}
    return [line["outcome"] for line in lines]


async def streamed(client, **request):
    async with client.responses.stream(**request) as stream:
        return await stream.get_final_response()


@pytest.mark.parametrize("streams", [False, True])
async def test_an_agent_works_through_six_turns(emulator, client, streams):
    """The official client calls tools for six turns; the upstream sees just what it meant."""
    emulator.script = Script(tool_rounds=5, parallel_calls=2)
    ask = (lambda **request: streamed(client, **request)) if streams else client.responses.create
    history = [{"role": "user", "content": "read two files, five times"}]
    for _ in range(6):
        response = await ask(
            model="gpt-5.5",
            input=history,
            tools=TOOLS,
            store=False,
            include=["reasoning.encrypted_content"],
        )
        assert response.status == "completed"
        history += answered(response)
    assert response.output_text
    assert [item["type"] for item in history if "call" in item.get("type", "")] == [
        kind for _ in range(5) for kind in ["function_call"] * 2 + ["function_call_output"] * 2
    ]
    assert emulator.violations == []
    assert [turn.status for turn in emulator.turns] == ["completed"] * 6


async def test_a_stream_on_the_wire(connection):
    """Events with names, numbered without gaps, the terminal last and nothing after it."""
    status, headers, body = await connection.ask(STREAMED)
    events = list(events_of(body))
    assert status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-longwire-channel"] == "main"
    assert headers["x-longwire-transport"] == "http"
    assert headers["x-longwire-api"] == "responses"
    assert "x-longwire-dropped" not in headers
    assert headers["x-longwire-continuity"] == "fresh"
    assert headers["x-longwire-reason"] == "http_transport"
    assert headers["x-request-id"].startswith("req_")
    assert "server" not in headers
    assert [name for name, _ in events] == [event["type"] for _, event in events]
    assert [event["sequence_number"] for _, event in events] == list(range(len(events)))
    assert events[-1][0] == "response.completed"


async def test_a_whole_answer_on_the_wire(connection):
    """Without `stream` the response object alone is the body."""
    status, headers, body = await connection.ask(TURN, headers=["x-request-id: mine-1"])
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert headers["x-request-id"] == "mine-1"
    assert headers["x-longwire-channel"] == "main"
    assert json.loads(body)["object"] == "response"


async def test_a_response_keeps_its_digits_and_its_layout():
    """What an upstream sends as JSON arrives as it was written, numbers and all."""
    body = b'{\n  "id": "resp_1",\n  "status": "failed", "x": 1E2, "output": [ 1.0 ]\n}'
    async with between(answer(body, "application/json")) as (_, connection):
        status, _, reply = await connection.ask(TURN)
    assert (status, reply) == (200, body)


async def test_a_turn_that_refers_outside_travels_as_given(emulator, client):
    """The client's own previous response is sent on, and named in the answer."""
    first = await client.responses.create(model="gpt-5.5", input="hi")
    request = {"previous_response_id": first.id, "model": "gpt-5.5", "input": "more"}
    second = await client.responses.with_raw_response.create(**request)
    assert second.headers["x-longwire-continuity"] == "as-given"
    assert "x-longwire-reason" not in second.headers
    assert second.parse().previous_response_id == first.id
    assert emulator.turns[-1].continued


@pytest.mark.parametrize("at", ["handshake", "before_create", "after_create"])
@pytest.mark.parametrize("body", [TURN, STREAMED])
async def test_a_refusal_before_the_first_event_is_a_status(emulator, connection, at, body):
    """The upstream's status, words and retry-after pass, and the connection serves on."""
    act = "refuse" if at == "handshake" else "error"
    headers = {"retry-after": "7", "set-cookie": "a=b"}
    fault = Fault(at=at, act=act, status=429, code="rate_limit_exceeded", headers=headers)
    emulator.faults.add(fault)
    status, headers, reply = await connection.ask(body)
    assert status == 429
    assert json.loads(reply)["error"]["code"] == "rate_limit_exceeded"
    assert headers["retry-after"] == "7"
    assert "set-cookie" not in headers
    assert headers["x-request-id"]
    assert (await connection.ask(body))[0] == 200


@pytest.mark.parametrize(
    ("at", "act", "code"),
    [
        ("after_created", "reset", "upstream_disconnected"),
        ("mid_delta", "reset", "upstream_disconnected"),
        ("mid_delta", "half", "upstream_disconnected"),
        ("mid_delta", "close", "upstream_disconnected"),
        ("before_terminal", "close", "upstream_disconnected"),
        ("mid_delta", "error", "server_error"),
    ],
)
async def test_a_broken_stream_ends_well(emulator, gateway, at, act, code):
    """After the first event a failure is one `response.failed`; whole answers get a status."""
    emulator.faults.add(*[Fault(at=at, act=act, after_ms=20)] * 2)
    async with dial(gateway) as connection:
        status, _, body = await connection.ask(STREAMED)
        events = list(events_of(body))
        assert status == 200
        name, failed = events[-1]
        assert name == "response.failed"
        assert failed["response"]["status"] == "failed"
        assert failed["response"]["error"]["code"] == code
        assert failed["response"]["id"] == events[0][1]["response"]["id"]
        assert [event["sequence_number"] for _, event in events] == list(range(len(events)))
        status, _, body = await connection.ask(TURN)
        assert (status, is_envelope(body)) == (500 if act == "error" else 502, True)
        assert json.loads(body)["error"]["code"] == code
        assert (await connection.ask(STREAMED))[0] == 200


async def test_a_stream_without_a_terminal_fails(emulator, connection):
    """A clean end without a terminal is a failure, never a 200 that looks whole."""
    emulator.script = Script(end_without_terminal=True)
    _, _, body = await connection.ask(STREAMED)
    assert list(events_of(body))[-1][0] == "response.failed"
    assert (await connection.ask(TURN))[0] == 502


@pytest.mark.parametrize("finish", ["incomplete", "failed:server_error", "cancelled"])
@pytest.mark.parametrize("body", [TURN, STREAMED])
async def test_other_terminals_are_answers(emulator, connection, finish, body):
    """A response that failed is an answer with that status, not a failure of the gateway."""
    emulator.script = Script(finish=finish)
    status, _, reply = await connection.ask(body)
    response = json.loads(reply) if body is TURN else list(events_of(reply))[-1][1]["response"]
    assert (status, response["status"]) == (200, finish.partition(":")[0])


async def test_nobody_upstream(unused_tcp_port):
    """An upstream that is down is a 502 that says what to check."""
    settings = settings_for(f"http://127.0.0.1:{unused_tcp_port}")
    async with serving(settings) as gateway, dial(gateway) as connection:
        for body in (TURN, STREAMED):
            status, _, reply = await connection.ask(body)
            assert (status, json.loads(reply)["error"]["code"]) == (502, "upstream_unavailable")


async def test_silence_upstream():
    """An upstream that says nothing in time is a 504."""
    async with between([0.5], sessions={"first_event_timeout": "20ms"}) as (_, connection):
        status, _, reply = await connection.ask(STREAMED)
    assert (status, json.loads(reply)["error"]["code"]) == (504, "upstream_timeout")


async def test_unknown_models(emulator):
    """A model that no channel serves is a 404 with the reasons."""
    settings = settings_for(emulator.url, channel={"models": ["gpt-5*"]})
    async with serving(settings) as gateway, dial(gateway) as connection:
        status, _, reply = await connection.ask(b'{"model":"o3\\r\\nx: y"}')
        assert (status, is_envelope(reply)) == (404, True)
        assert "main: does not serve it" in json.loads(reply)["error"]["message"]


async def test_the_official_client_knows_the_errors(gateway, client):
    """Each status is the exception that users of the official client expect."""
    stranger = client.with_options(api_key="wrong")
    with pytest.raises(openai.AuthenticationError) as refused:
        await stranger.responses.create(model="gpt-5.5", input="hi")
    assert refused.value.code == "invalid_api_key"
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="gpt-5.5", input="hi", previous_response_id="resp_0")
    assert refused.value.code == "previous_response_not_found"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], (None, ": keep-alive")),
        (
            ["originator: codex_cli_rs"],
            ("keepalive", {"type": "keepalive", "sequence_number": 1}),
        ),
        (
            ["user-agent: codex_exec/0.169"],
            ("keepalive", {"type": "keepalive", "sequence_number": 1}),
        ),
    ],
)
async def test_silence_is_bridged(headers, expected):
    """A comment keeps the stream alive, an event where comments do not count."""
    stream = sse(CREATED, COMPLETED)
    late = [answer(sse(CREATED), size=len(stream)), 0.2, sse(COMPLETED)]
    async with between(late, server={"keep_alive_comment": "20ms"}) as (_, connection):
        _, _, body = await connection.ask(STREAMED, headers=headers)
    events = list(events_of(body))
    assert events[1] == expected
    assert [event["sequence_number"] for name, event in events if name != expected[0]] == [0, 1]


EARLY = {"commit_after": "20ms", "keep_alive_comment": "20ms"}


@pytest.mark.parametrize(
    ("headers", "filler"),
    [([], (None, ": keep-alive")), (["originator: codex_exec"], ("keepalive", 0))],
)
async def test_a_stream_may_begin_before_its_first_event(headers, filler):
    """Status and what fills the silence come in time; then the answer, as if they had not."""
    late = [0.1, answer(sse(CREATED, COMPLETED))]
    async with between(late, server=EARLY) as (_, connection):
        status, received, body = await connection.ask(STREAMED, headers=headers)
    events = [
        (name, event if name is None else event["sequence_number"])
        for name, event in events_of(body)
    ]
    assert (200, "text/event-stream; charset=utf-8") == (status, received["content-type"])
    assert received["x-request-id"]
    assert {filler} == {*events[:-2]}
    assert 2 <= len(events[:-2]) <= 6
    assert [("response.created", 0), ("response.completed", 1)] == events[-2:]


async def test_what_fails_after_that_is_an_event():
    """The client has its 200: the upstream's own words come as `response.failed`, at the end."""
    refused = answer(b'{"error":{"message":"too long","code":"c"}}', "application/json", 400)
    async with between([0.05, refused], server=EARLY) as (_, connection):
        status, _, body = await connection.ask(STREAMED)
        *comments, (name, failed) = events_of(body)
        assert (200, "response.failed", {": keep-alive"}) == (
            status,
            name,
            {each for _, each in comments},
        )
        assert {"code": "c", "message": "too long"} == failed["response"]["error"]
        assert (await connection.ask(b"", method="GET", path="/health"))[0] == 200


@pytest.mark.parametrize("body", [TURN, STREAMED])
async def test_what_fails_in_time_keeps_its_status(body):
    """Nothing begins early that need not, and what is not streamed never does."""
    refused = answer(b'{"error":{"message":"too long","code":"c"}}', "application/json", 400)
    wait = 0.1 if body is TURN else 0
    server = {**EARLY, "commit_after": "20ms" if body is TURN else "10s"}
    async with between([wait, refused] if wait else refused, server=server) as (_, connection):
        status, _, reply = await connection.ask(body)
    assert (400, "too long") == (status, json.loads(reply)["error"]["message"])


async def test_a_client_that_leaves_a_stream_that_began_early():
    """It cancels its turn like any other, and nothing goes on filling the silence."""
    async with canned([5.0]) as upstream:
        settings = settings_for(upstream.url, server=EARLY)
        async with serving(settings) as gateway, dial(gateway) as connection:
            await connection.send(STREAMED)
            await connection.reader.readuntil(b": keep-alive\n")
            connection.writer.transport.abort()
            async with asyncio.timeout(2):
                await upstream.hung_up.wait()


@pytest.mark.parametrize("body", [TURN, STREAMED])
@pytest.mark.parametrize("parts", [[5.0], [OPENING, 5.0]])
async def test_a_client_that_leaves_cancels_its_turn(body, parts):
    """The upstream connection closes when nobody reads any more; the log has the turn alone."""
    async with canned(parts) as upstream, serving(settings_for(upstream.url)) as gateway:
        with capture_logs() as lines:
            async with dial(gateway) as connection:
                await connection.send(body)
                if body is STREAMED and len(parts) > 1:
                    await connection.reader.readuntil(b"resp_1")
                await upstream.asked.wait()
            async with asyncio.timeout(2):
                await upstream.hung_up.wait()
    assert outcomes(lines) == ["abandoned"]


async def test_a_client_that_leaves_at_the_terminal_cancels_nothing():
    """Some clients hang up the instant they have read the terminal: the turn was whole."""
    stream = sse(CREATED, COMPLETED)
    late = [answer(stream, size=len(stream) + 14), 0.02, b"data: [DONE]\n\n"]
    async with canned(late) as upstream, serving(settings_for(upstream.url)) as gateway:
        with capture_logs() as lines:
            for _ in range(3):
                async with dial(gateway) as connection:
                    await connection.send(STREAMED)
                    await connection.reader.readuntil(b"response.completed")
                await asyncio.sleep(0.03)
    assert (upstream.connections, outcomes(lines)) == (1, ["completed"] * 3)


async def test_a_client_that_leaves_while_sending(gateway, emulator):
    """Half a body is dropped without a word."""
    with capture_logs() as lines:
        async with dial(gateway) as connection:
            await connection.send(TURN, headers=["content-encoding: identity"])
            await connection.receive()
            await connection.send(b"", headers=["transfer-encoding: chunked"])
        async with dial(gateway) as connection:
            connection.writer.write(b"POST /v1/responses HTTP/1.1\r\ncontent-length: 99\r\n")
            connection.writer.write(f"authorization: Bearer {gateway.key}\r\n\r\n{{".encode())
            await connection.writer.drain()
        async with dial(gateway) as connection:
            assert (await connection.ask(TURN))[0] == 200
    assert outcomes(lines) == ["completed"] * 2


async def test_requests_in_a_row_are_answered_in_order(connection):
    """Requests written without waiting get their answers one after the other."""
    for number in range(3):
        await connection.send(STREAMED, headers=[f"x-request-id: {number}"])
    answers = [await connection.receive() for _ in range(3)]
    assert [headers["x-request-id"] for _, headers, _ in answers] == ["0", "1", "2"]


async def test_a_bug_is_a_500_with_a_trace_in_the_log(gateway, connection, monkeypatch):
    """What nobody foresaw tells the client nothing, and the log everything."""

    def broken(*_):
        msg = "a secret"
        raise ZeroDivisionError(msg)

    monkeypatch.setattr(gateway.app.relay, "open", broken)
    with capture_logs() as lines:
        status, headers, reply = await connection.ask(TURN)
    assert (status, is_envelope(reply), b"secret" in reply) == (500, True, False)
    assert (lines[0]["event"], lines[0]["request_id"]) == (
        "internal_error",
        headers["x-request-id"],
    )


async def test_anonymous_callers(emulator):
    """Without keys anybody may ask, where the operator allows it."""
    settings = settings_for(emulator.url, server={"allow_anonymous": True})
    async with serving(settings) as gateway, dial(gateway) as connection:
        assert (await connection.ask(TURN, headers=[]))[0] == 200
        connection.key = "wrong"
        assert (await connection.ask(TURN))[0] == 401
