"""The HTTP forms: JSON, SSE, the official client, and the routes beside the turns."""

import json

import pytest
from openai import AsyncOpenAI, BadRequestError, NotFoundError

from longwire.emulator import Fault, Script, digest


def sse(content):
    """Events of an SSE stream as (name, payload)."""
    events = []
    for block in content.decode().removesuffix("\n\n").split("\n\n"):
        name, _, payload = block.partition("\n")
        events.append((name.removeprefix("event: "), json.loads(payload.removeprefix("data: "))))
    return events


async def test_sse_is_the_websocket_stream(upstream, user):
    """An SSE stream holds the same events; each is named by its type."""
    async with upstream() as it, it.dial() as socket:
        told = await socket.create(user)
        async with it.post({"stream": True}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            events = sse(await answer.read())
        assert [(event["type"], event["type"]) for event in told] == [
            (name, event["type"]) for name, event in events
        ]


async def test_done_marker_is_optional(upstream):
    """`[DONE]` ends the stream when asked for."""
    async with upstream(done_marker=True) as it, it.post({"stream": True}) as answer:
        assert (await answer.read()).endswith(b"\n\ndata: [DONE]\n\n")


async def test_json_answer_is_the_terminal_response(upstream, user, tools):
    """Without stream the answer is the Response object."""
    async with upstream() as it, it.post({"tools": tools}) as answer:
        response = await answer.json()
        assert (200, "response", "completed") == (
            answer.status,
            response["object"],
            response["status"],
        )
        assert digest([user]) in response["output"][1]["content"][0]["text"]
        assert "http" == it.emulator.turns[-1].transport


async def test_long_json_answer_is_whole(upstream):
    """A JSON answer carries all items, also beyond the terminal event's limit."""
    async with upstream(Script(text_bytes=9_000_000)) as it, it.post({}) as answer:
        response = json.loads(await answer.read())
        texts = [item["content"][0]["text"] for item in response["output"][1:]]
        assert 9_000_000 == sum(map(len, texts))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("transport", ["http", "websocket"])
async def test_official_client_holds_a_conversation(upstream, tools, user, stream, transport):
    """Six turns with tools through the official client, every object parsed by it."""
    asked = {
        "model": "gpt-5.5",
        "store": False,
        "tools": tools,
        "include": ["reasoning.encrypted_content"],
    }
    async with (
        upstream(Script(tool_rounds=2, parallel_calls=2)) as it,
        AsyncOpenAI(base_url=f"{it.emulator.url}/v1", api_key="sk-one") as client,
    ):
        history = [user]
        for _ in range(6):
            if stream:
                async with client.responses.stream(input=history, **asked) as events:
                    kinds = [event.type async for event in events]
                    assert "response.completed" == kinds[-1]
                    response = await events.get_final_response()
            else:
                response = await client.responses.create(input=history, **asked)
            assert digest(history) in response.output_text
            history += [item.to_dict() for item in response.output]
            calls = [item for item in response.output if item.type == "function_call"]
            history += [
                {"type": "function_call_output", "call_id": call.call_id, "output": "1"}
                for call in calls
            ] or [user]
        assert [] == it.emulator.violations
        assert 6 == it.emulator.counters.http_requests


async def test_official_client_sees_typed_errors(upstream, user):
    """Errors carry status and code, so that the official client raises its own kinds."""
    async with (
        upstream() as it,
        AsyncOpenAI(base_url=f"{it.emulator.url}/v1", api_key="sk-one", max_retries=0) as client,
    ):
        with pytest.raises(BadRequestError) as refused:
            await client.responses.create(model="m", input="x", previous_response_id="resp_gone")
        assert "previous_response_not_found" == refused.value.code
        first = await client.responses.create(model="m", input="x")
        again = await client.responses.retrieve(first.id)
        assert first.output == again.output
        await client.responses.delete(first.id)
        with pytest.raises(NotFoundError):
            await client.responses.retrieve(first.id)


async def test_model_lists(upstream):
    """Both routes list the models, each in its form; Codex's own has no other."""
    async with (
        upstream(models=("one", "two")) as it,
        AsyncOpenAI(base_url=f"{it.emulator.url}/v1", api_key="sk-one", max_retries=0) as client,
    ):
        assert ["one", "two"] == [model.id async for model in client.models.list()]
        assert "two" == (await client.models.retrieve("two")).id
        with pytest.raises(NotFoundError):
            await client.models.retrieve("three")
        headers = {"authorization": "Bearer x", "anthropic-version": "2023-06-01"}
        address = f"{it.emulator.url}/backend-api/codex/models"
        async with it.session.get(address, headers=headers) as answer:
            listed = (await answer.json())["models"]
            assert [("one", False), ("two", False)] == [(m["slug"], "id" in m) for m in listed]


async def test_compact_makes_a_window_for_a_new_chain(upstream, user):
    """`/responses/compact` keeps user messages and adds one compaction item."""
    async with upstream() as it, it.post({}, path="/responses/compact") as answer:
        window = await answer.json()
        assert ["response.compaction", user, "compaction"] == [
            window["object"],
            window["output"][0],
            window["output"][1]["type"],
        ]
        async with it.post({"input": [*window["output"], user]}) as continued:
            assert 200 == continued.status


HTTP_REFUSED = {
    "generate": ("/v1", {"generate": False}, "unknown_parameter"),
    "stream_id": ("/v1", {"stream_id": "a"}, "unknown_parameter"),
    "type": ("/v1", {"type": "response.create"}, "unknown_parameter"),
    "codex generate": ("/backend-api/codex", {"generate": False}, "generate"),
    "codex json": ("/backend-api/codex", {}, "Stream must be set to true"),
    "codex parent": (
        "/backend-api/codex",
        {"stream": True, "previous_response_id": "resp_1"},
        "previous_response_id",
    ),
}


@pytest.mark.parametrize(("route", "body", "reason"), HTTP_REFUSED.values(), ids=HTTP_REFUSED)
async def test_http_bodies_have_rules_of_their_own(upstream, route, body, reason):
    """What belongs to a WebSocket is refused over HTTP, in the route's own envelope."""
    async with upstream() as it, it.post(body, route=route) as answer:
        envelope = await answer.json()
        told = envelope["error"]["code"] if route == "/v1" else envelope["detail"]
        assert (400, True) == (answer.status, reason in told)
        assert it.emulator.violations[0].startswith("http 1: ")


async def test_plain_get_is_405(upstream):
    """Without an upgrade a GET is not served."""
    async with upstream() as it:
        headers = {"authorization": "Bearer x"}
        async with it.session.get(f"{it.emulator.url}/v1/responses", headers=headers) as answer:
            assert (405, "error") == (answer.status, next(iter(await answer.json())))


async def test_control_routes(upstream, user):
    """Everything can be looked at and changed over HTTP."""
    async with upstream() as it, it.dial() as socket:
        base = f"{it.emulator.url}/_emulator"
        async with it.session.put(f"{base}/script", json={"reasoning": False}) as answer:
            assert 200 == answer.status
        faults = [{"at": "before_terminal", "act": "done_alias"}]
        async with it.session.post(f"{base}/faults", json=faults) as answer:
            assert 200 == answer.status
        events = await socket.create(user, novelty=1)
        events += await socket.create(user)
        assert "response.done" == events[-1]["type"]
        assert ["message"] == [item["type"] for item in events[-1]["response"]["output"]]
        shown = {}
        for name in ("counters", "violations", "turns"):
            async with it.session.get(f"{base}/{name}") as answer:
                shown[name] = await answer.json()
        assert (2, 1, 2) == (
            shown["counters"]["creates"],
            len(shown["violations"]),
            len(shown["turns"]),
        )
        it.emulator.faults.add(Fault(at="idle", act="hang"))
        async with it.session.delete(f"{base}/faults") as answer:
            assert (200, []) == (answer.status, it.emulator.faults.armed)
        async with it.session.post(f"{base}/reset") as answer:
            assert 200 == answer.status
        counters = it.emulator.counters.snapshot()
        assert (0, 1) == (counters["creates"], counters["sockets_open"])
        assert (Script(), []) == (it.emulator.script, list(it.emulator.turns))


@pytest.mark.parametrize(
    ("method", "path", "content", "field"),
    [
        ("PUT", "script", '{"deltas": 0}', "$.deltas"),
        ("PUT", "script", '{"novelty": 0}', "novelty"),
        ("POST", "faults", '[{"at": "never", "act": "hang"}]', "$[0].at"),
        ("POST", "faults", '[{"at": "idle", "act": "refuse"}]', "act"),
        ("POST", "faults", "[7]", "$[0]"),
    ],
)
async def test_bad_control_input_names_the_field(upstream, method, path, content, field):
    """A bad control request is a 400 that names what is wrong, and changes nothing."""
    async with upstream() as it:
        address = f"{it.emulator.url}/_emulator/{path}"
        async with it.session.request(method, address, data=content) as answer:
            message = (await answer.json())["error"]["message"]
            assert (400, True) == (answer.status, field in message)
        assert ([], Script()) == (it.emulator.faults.armed, it.emulator.script)
