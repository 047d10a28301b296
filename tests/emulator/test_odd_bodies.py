"""Whatever stands in a body, Chat Completions and Gemini's API answer or refuse it."""

import copy
from collections.abc import Iterator

import pytest

from longwire.emulator import Script
from tests.emulator import test_chat as chat
from tests.emulator import test_gemini as gemini

WRONG = (None, 0, -1, 1.5, True, "", "x", [], [0], [{}], {}, {"type": "x"})
CHAT = {
    "model": "gpt-4.1",
    "messages": [
        {"role": "system", "content": "a"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a"},
                {
                    "type": "image_url",
                    "image_url": {"url": "https://example.org/a.png", "detail": "low"},
                },
            ],
        },
        chat.CALLING,
        chat.OUTPUT,
    ],
    "tools": chat.TOOLS,
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [chat.TOOLS[0]]},
    },
    "response_format": {"type": "json_schema", "json_schema": chat.SCHEMA},
    "stop": ["a"],
    "n": 1,
    "temperature": 1,
    "max_tokens": 9,
    "metadata": {"a": "b"},
    "web_search_options": {},
    "stream_options": {"include_usage": True},
    "stream": True,
    "reasoning_effort": "low",
}
PICTURE = {"inlineData": {"mimeType": "image/png", "data": "AA"}}
GEMINI = {
    "contents": [
        {
            "role": "user",
            "parts": [{"text": "a"}, PICTURE],
        },
        gemini.MODEL_CALL,
        {"role": "user", "parts": [gemini.RESPONSE]},
    ],
    "systemInstruction": {"parts": [{"text": "a"}]},
    "tools": gemini.TOOLS,
    "toolConfig": {
        "functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["read"]}
    },
    "generationConfig": {
        "temperature": 1,
        "maxOutputTokens": 9,
        "stopSequences": ["a"],
        "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True},
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    },
}


def places(value, path=()) -> Iterator[tuple]:
    """The path of each value inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in inside:
        yield (*path, key)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*path, key))


def spoiled(body) -> Iterator[tuple[tuple, object, dict]]:
    """The body with each of its values replaced by each wrong one."""
    for path in places(body):
        for value in WRONG:
            copied = copy.deepcopy(body)
            holder = copied
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = value
            yield path, value, copied


@pytest.mark.parametrize("api", ["chat", "gemini"])
async def test_no_body_is_a_fault_of_the_server(upstream, api):
    """Each value in turn is replaced by wrong ones; the answer is 200 or 400."""
    found = []
    async with upstream(Script(tool_rounds=0)) as it:
        for path, value, body in spoiled(CHAT if api == "chat" else GEMINI):
            if api == "chat":
                url = f"{it.emulator.url}/v1/chat/completions"
            else:
                url = f"{it.emulator.url}/v1beta/models/gemini-3-flash:generateContent"
            headers = {"authorization": "Bearer sk-one"}
            async with it.session.post(url, json=body, headers=headers) as answer:
                if answer.status not in (200, 400):
                    found.append((path, value, answer.status))
    assert [] == found
