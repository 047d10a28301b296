"""An upstream of a few lines, as anybody writes one, works at once behind a channel by default."""

import asyncio
import json
import socket
import sys
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from tests.conftest import KEY
from tests.journeys.two_upstreams import staged_before

TOOLS = [{"type": "function", "name": "f", "parameters": {}}]
STREAMS = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
upstream = FastAPI()


@upstream.post("/v1/responses")
async def respond(body: dict):
    text = f"{body['model']}: {len(body['input'])}"
    content = [{"type": "output_text", "text": text, "annotations": []}]
    item = {"id": "msg_1", "type": "message", "role": "assistant", "content": content}
    response = {"id": "resp_1", "object": "response", "status": "completed", "output": [item]}
    if not body.get("stream"):
        return response
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    events = {"type": "response.created", "response": {**response, "output": []}}, done
    last = {"type": "response.completed", "response": response}
    lines = (f"data: {json.dumps(event)}\n\n" for event in (*events, last))
    return StreamingResponse(lines, media_type="text/event-stream")


class Upstream:
    """The app on a socket; `upgrades` counts the WebSockets that were asked of it."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.upgrades = 0

    async def __call__(self, scope, receive, send):
        self.upgrades += scope["type"] == "websocket"
        await upstream(scope, receive, send)


@asynccontextmanager
async def fresh():
    """Serve the app as `uvicorn` does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = Upstream(listener.getsockname()[1])
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
                await asyncio.sleep(0.001)
            try:
                yield app
            finally:
                server.should_exit = True
                await serving


@asynccontextmanager
async def before(folder):
    """A gateway whose one channel has a name, a URL and a key."""
    async with fresh() as app:
        channel = {"name": "own", "base_url": f"{app.url}/v1", "api_key": "sk-own"}
        async with staged_before(folder, {"own": app}, channels=(channel,)) as stage:
            yield stage, app


@STREAMS
async def test_a_plain_question(stream, tmp_path):
    """It is answered; the upstream sees the model's name and one item."""
    async with before(tmp_path) as (stage, app):
        reply = await stage.ask("hi", stream=stream)
    (item,) = reply.response["output"]
    assert (200, "gpt-5.5: 1") == (reply.status, item["content"][0]["text"])
    assert 0 == app.upgrades


@STREAMS
async def test_turns_with_tools_in_a_session(stream, tmp_path):
    """A WebSocket is tried once, and HTTP serves all three, each with the whole history."""
    async with before(tmp_path) as (stage, app):
        history, texts = [], []
        for number in range(3):
            history.append({"role": "user", "content": f"question {number}"})
            reply = await stage.ask(history, session="s", stream=stream, tools=TOOLS)
            assert (200, "http") == (reply.status, reply.headers["x-longwire-transport"])
            history += reply.response["output"]
            texts.append(history[-1]["content"][0]["text"])
    assert ["gpt-5.5: 1", "gpt-5.5: 3", "gpt-5.5: 5"] == texts
    assert 1 == app.upgrades


async def test_models_are_an_empty_list(tmp_path):
    """It lists none, and that is no error."""
    async with before(tmp_path) as (stage, _):
        reply = await stage.call("GET", "/v1/models")
    assert (200, {"object": "list", "data": []}) == (reply.status, reply.json)


@pytest.mark.process
async def test_the_doctor_finds_it_well(tmp_path):
    """Two turns go over HTTP; that there is no list of models is no fault of the channel."""
    async with fresh() as app:
        config = tmp_path / "longwire.toml"
        config.write_text(
            f'[[channels]]\nname = "own"\nbase_url = "{app.url}/v1"\napi_key = "sk-own"\n'
            f'[[api_keys]]\nname = "dev"\nkey = "{KEY}"\n'
            f'[database]\nurl = "sqlite:///{tmp_path}/longwire.db"\n',
            encoding="utf-8",
        )
        doctor = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "longwire", "doctor", "--config", str(config)),
            stdout=asyncio.subprocess.PIPE,
            cwd=tmp_path,
        )
        report, _ = await doctor.communicate()
    assert doctor.returncode == 0
    assert b"channel own: http in responses with default" in report
    assert b"FAIL" not in report
