"""Official clients in their WebSocket mode; run by the environment that has them, not by ours.

Usage: `python official_websocket.py STORY URL KEY`; prints a JSON list of what was said and heard.
"""

import asyncio
import json
import sys

from openai import AsyncOpenAI

MODEL = "gpt-5.5"
TOOL = {
    "type": "function",
    "name": "read",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
}
REQUEST = {
    "type": "response.create",
    "model": MODEL,
    "tools": [TOOL],
    "store": False,
    "include": ["reasoning.encrypted_content"],
}


def following(output, number):
    """Outputs of the tools where there are calls, else a question."""
    calls = [item for item in output if item["type"] == "function_call"]
    outputs = [
        {"type": "function_call_output", "call_id": call["call_id"], "output": "✓"}
        for call in calls
    ]
    return outputs or [{"role": "user", "content": f"question {number}"}]


async def plain(client):
    """The bare connection: ten turns of an agent, each naming the one before."""
    told, previous, output = [], None, []
    async with client.responses.connect() as connection:
        for number in range(10):
            said = following(output, number)
            named = {"previous_response_id": previous} if previous else {}
            await connection.send({**REQUEST, "input": said, **named})
            async for event in connection:
                if event.type == "error":
                    raise SystemExit(str(event))
                if event.type == "response.completed":
                    break
            assert event.response.previous_response_id == previous
            previous = event.response.id
            output = [item.to_dict() for item in event.response.output]
            told.append({"lane": None, "id": previous, "said": said, "heard": output})
    return told


async def lanes(client):
    """The session helper: a warm-up, then four lanes at once, each with turns of its own."""
    from openai.lib.responses_websocket import (  # noqa: PLC0415 - this story's alone
        AsyncResponsesWebSocketSession,
        ResponsesWebSocketLimits,
    )

    limits = ResponsesWebSocketLimits(
        max_lanes=8,
        max_events_per_lane=1_000,
        max_events=4_000,
        max_bytes_per_lane=1 << 24,
        max_bytes=1 << 26,
    )
    told = []
    async with (
        client.responses.connect() as connection,
        AsyncResponsesWebSocketSession(connection, limits=limits) as session,
    ):

        async def talk(name):
            lane, previous, output = session.lane(name), None, []
            for number in range(5):
                said = following(output, f"{name} {number}")
                named = {"previous_response_id": previous} if previous else {}
                await lane.send({**REQUEST, "input": said, **named})
                response = await lane.get_final_response()
                previous = response.id
                output = [item.to_dict() for item in response.output]
                told.append({"lane": name, "id": previous, "said": said, "heard": output})

        async with asyncio.TaskGroup() as group:
            for name in ("a", "b", "c", "d"):
                group.create_task(talk(name))
    return told


async def agents(client):
    """openai-agents over its WebSocket model: two questions, tools in between, chained by id."""
    from agents import (  # noqa: PLC0415 - likewise
        Agent,
        ModelSettings,
        OpenAIResponsesWSModel,
        Runner,
        function_tool,
        set_tracing_disabled,
    )

    set_tracing_disabled(disabled=True)

    @function_tool
    def read(path: str = "") -> str:
        """Read a file."""
        return f"contents of {path}"

    model = OpenAIResponsesWSModel(MODEL, client)
    sealed = ModelSettings(store=False, response_include=["reasoning.encrypted_content"])
    agent = Agent(name="a", instructions="x", model=model, tools=[read], model_settings=sealed)
    first = await Runner.run(agent, "question 1", auto_previous_response_id=True)
    second = await Runner.run(
        agent,
        "question 2",
        previous_response_id=first.last_response_id,
        auto_previous_response_id=True,
    )
    await model.close()
    runs = (first, second)
    return [
        {"answer": str(run.final_output), "ids": [each.response_id for each in run.raw_responses]}
        for run in runs
    ]


async def main(story, url, key):
    """Tell one story."""
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
        told = await {"plain": plain, "lanes": lanes, "agents": agents}[story](client)
    sys.stdout.write(json.dumps(told))


asyncio.run(main(*sys.argv[1:]))
