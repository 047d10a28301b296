"""A field that an upstream of another API does not take is named as its client has called it."""

import json

import pytest

from longwire.emulator import Fault
from tests.journeys.two_upstreams import staged

SVG = "data:image/svg+xml;base64,PHN2"
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
CLAUDE = {"type": "anthropic", "models": ["m"]}
CHAT = {"apis": ["chat_completions"], "models": ["m"]}


def says(part: dict) -> list[dict]:
    """A question of one part."""
    return [{"role": "user", "content": [part]}]


async def refused(tmp_path, channel: dict, path: str, body: dict, faults: tuple = ()) -> dict:
    """The error that a client gets."""
    async with staged(tmp_path, channel=channel) as stage:
        for upstream in stage.upstreams.values():
            for fault in faults:
                upstream.faults.add(fault)
        reply = await stage.call("POST", path, json=body)
    assert 400 == reply.status, reply.body
    return reply.json["error"]


async def test_a_chat_client_reads_of_its_messages(tmp_path):
    """Param and message say the same."""
    image = {"type": "image_url", "image_url": {"url": SVG}}
    body = {"model": "m", "messages": says(image)}
    error = await refused(tmp_path, CLAUDE, "/v1/chat/completions", body)
    assert "messages" == error["param"]
    assert error["message"].startswith("'messages' ")
    assert "input." not in json.dumps(error)


async def test_a_messages_client_reads_of_its_messages(tmp_path):
    """Its errors have a message alone."""
    document = {"type": "document", "source": PDF}
    body = {"model": "m", "max_tokens": 99, "messages": says(document)}
    error = await refused(tmp_path, {**CHAT, "profile": "deepseek"}, "/v1/messages", body)
    assert error["message"].startswith("'messages' ")
    assert "input.0" not in error["message"]


async def test_a_gemini_client_reads_of_its_contents(tmp_path):
    """In the message, and in Google's details."""
    part = {"inlineData": {"mimeType": "image/svg+xml", "data": "PHN2"}}
    body = {"contents": [{"role": "user", "parts": [part]}]}
    error = await refused(tmp_path, CLAUDE, "/v1beta/models/m:generateContent", body)
    fields = [each["field"] for one in error["details"] for each in one.get("fieldViolations", ())]
    assert ["contents"] == fields
    assert error["message"].startswith("'contents' ")


@pytest.mark.parametrize(
    ("param", "own"),
    [
        ("messages", "input"),
        ("messages[0].content", "input"),
        ("max_completion_tokens", "max_output_tokens"),
        ("response_format.json_schema.schema", "text.format.schema"),
        ("temperature", "temperature"),
    ],
)
async def test_a_responses_client_reads_of_its_input(tmp_path, param, own):
    """Where an upstream of Chat Completions has refused its own body; its words stay."""
    words = {"message": f"No {param}.", "type": "x", "param": param, "code": "c"}
    fault = Fault(at="before_create", act="error", status=400, body=words, times=0)
    body = {"model": "m", "input": "hi"}
    error = await refused(tmp_path, CHAT, "/v1/responses", body, (fault,))
    assert {**words, "param": own} == error
