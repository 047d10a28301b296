"""What the emulator emits has the members OpenAI's published description requires."""

import json
from pathlib import Path

import pytest

from longwire.emulator import Script

SPEC = Path(__file__).parents[3] / "shared" / "spec" / "openai-openapi-2026-08-21.json"


@pytest.fixture(scope="module")
def schemas():
    if not SPEC.exists():
        pytest.skip(f"{SPEC.name} is not beside this checkout")
    return json.loads(SPEC.read_text(encoding="utf-8"))["components"]["schemas"]


def required(schemas, schema):
    """The required members of a schema, those of its parts included."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    names = set(schema.get("required", ()))
    return names.union(*(required(schemas, part) for part in schema.get("allOf", ())))


def by_type(schemas, union):
    """Type string → required members, for a union of event or item schemas."""
    schema, found = schemas[union], {}
    for part in schema.get("anyOf") or schema.get("oneOf") or ():
        found |= by_type(schemas, part["$ref"].rpartition("/")[2])
    for kind in schema.get("properties", {}).get("type", {}).get("enum", ()):
        found[kind] = required(schemas, schema)
    return found


async def test_events_items_and_responses_are_complete(upstream, user, tools, schemas):
    """Every event, output item and Response object has all its required members."""
    events_of, items_of = (by_type(schemas, u) for u in ("ResponseStreamEvent", "OutputItem"))
    seen = set()
    custom = {"type": "custom", "name": "patch"}
    async with upstream(Script(tool_rounds=1)) as it, it.dial() as socket:
        events = await socket.create(user, tools=tools)
        events += await socket.create(
            user, tools=[custom], metadata={"emulator": '{"custom_tools": true}'}
        )
        events += await socket.create(user, metadata={"emulator": '{"finish": "failed:x"}'})
        for scene in ("refusal", "search", "phases", "reasoning", "incomplete"):
            scripted = {"role": "user", "content": f"scene:{scene}"}
            events += await socket.create(scripted, tools=[{"type": "web_search"}])
    for event in events:
        assert set() == events_of[event["type"]] - set(event), event["type"]
        if "response" in event:
            assert set() == required(schemas, schemas["Response"]) - set(event["response"])
        if event["type"] == "response.output_item.done":
            item = event["item"]
            assert set() == items_of[item["type"]] - set(item), item["type"]
            seen.add(item["type"])
    calls = {"function_call", "custom_tool_call", "web_search_call"}
    assert {"reasoning", "message", *calls} == seen
