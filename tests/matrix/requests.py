"""The same conversations in each of four APIs, and as the items that an oracle compares.

Law: all spellings of a case mean the same, so that one digest holds for every API that can say it.
"""

import json
from dataclasses import dataclass
from typing import Any

from longwire.emulator import Script

Json = dict[str, Any]
APIS = ("responses", "chat_completions", "messages", "generate_content")
SYSTEM = "You are terse."
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "line": {"type": "integer"}},
    "required": ["path", "line"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Call:
    """A call that the model made, with what came of it."""

    id: str
    arguments: str
    result: str


@dataclass(frozen=True)
class Case:
    """One kind of turn: what the user says, what calls lie behind it, and what the model does.

    `calls` are the tool's that were made in the round before; with `offers` it may call.
    """

    name: str
    script: Script
    text: str = "Say hello."
    calls: tuple[Call, ...] = ()
    offers: bool = False
    shows_image: bool = False
    is_structured: bool = False
    reasons: bool = False


QUIET = Script(reasoning=False, commentary=False, tool_rounds=0)
ONE = (Call("call_a1", '{"path":"a.py","line":1.50}', "text of a"),)
TWO = (*ONE, Call("call_b2", '{"path":"b.py","line":2}', "text of b"))
CALLING = Script(reasoning=False, commentary=False, tool_rounds=9, parallel_calls=1)
CASES = (
    Case("text", QUIET),
    Case("tools", CALLING, calls=ONE, offers=True),
    Case(
        "parallel",
        Script(reasoning=False, commentary=False, tool_rounds=9, parallel_calls=2),
        calls=TWO,
        offers=True,
    ),
    Case("reasoning", Script(reasoning=True, commentary=False, tool_rounds=0), reasons=True),
    Case("images", QUIET, shows_image=True),
    Case("structured", QUIET, is_structured=True),
    Case(
        "refusal",
        Script(
            reasoning=False, commentary=False, tool_rounds=0, refusal="I cannot help with that."
        ),
    ),
    Case("length", Script(reasoning=False, commentary=False, tool_rounds=0, finish="incomplete")),
)


def items_of(case: Case) -> list[Json]:
    """The conversation as items of the Responses API."""
    content: list[Json] = [{"type": "input_text", "text": case.text}]
    if case.shows_image:
        url = f"data:image/png;base64,{PIXEL}"
        content.append({"type": "input_image", "image_url": url, "detail": "auto"})
    items: list[Json] = [
        {"type": "message", "role": "system", "content": SYSTEM},
        {"type": "message", "role": "user", "content": content},
    ]
    for call in case.calls:
        said = {"call_id": call.id, "name": "Read", "arguments": call.arguments}
        items.append({"type": "function_call", **said})
    for call in case.calls:
        said = {"call_id": call.id, "output": call.result}
        items.append({"type": "function_call_output", **said})
    return items


def body_of(api: str, case: Case, *, streams: bool) -> Json:
    """The request of a case in an API; Gemini's says elsewhere whether it streams."""
    body = _BODIES[api](case)
    if api == "chat_completions" and streams:
        body["stream_options"] = {"include_usage": True}
    return body if api == "generate_content" else {**body, "stream": streams}


def _responses(case: Case) -> Json:
    body: Json = {"model": "any", "input": items_of(case), "store": False}
    if case.offers:
        body["tools"] = [
            {"type": "function", "name": "Read", "parameters": SCHEMA, "strict": False}
        ]
    if case.reasons:
        body["reasoning"] = {"effort": "high", "summary": "auto"}
        body["include"] = ["reasoning.encrypted_content"]
    if case.is_structured:
        style = {"type": "json_schema", "name": "place", "schema": SCHEMA, "strict": True}
        body["text"] = {"format": style}
    return body


def _chat_completions(case: Case) -> Json:
    content: Any = case.text
    if case.shows_image:
        url = {"url": f"data:image/png;base64,{PIXEL}"}
        content = [{"type": "text", "text": case.text}, {"type": "image_url", "image_url": url}]
    messages: list[Json] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": content},
    ]
    if case.calls:
        calls = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": "Read", "arguments": call.arguments},
            }
            for call in case.calls
        ]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": call.result} for call in case.calls
    ]
    body: Json = {"model": "any", "messages": messages}
    if case.offers:
        body["tools"] = [{"type": "function", "function": {"name": "Read", "parameters": SCHEMA}}]
    if case.reasons:
        body["reasoning_effort"] = "high"
    if case.is_structured:
        style = {"name": "place", "schema": SCHEMA, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": style}
    return body


def _messages(case: Case) -> Json:
    content: list[Json] = [{"type": "text", "text": case.text}]
    if case.shows_image:
        source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
        content.append({"type": "image", "source": source})
    messages: list[Json] = [{"role": "user", "content": content}]
    if case.calls:
        calls = [
            {"type": "tool_use", "id": call.id, "name": "Read", "input": json.loads(call.arguments)}
            for call in case.calls
        ]
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": call.result}
            for call in case.calls
        ]
        messages += [
            {"role": "assistant", "content": calls},
            {"role": "user", "content": results},
        ]
    body: Json = {"model": "any", "max_tokens": 4096, "system": SYSTEM, "messages": messages}
    if case.offers:
        body["tools"] = [{"name": "Read", "input_schema": SCHEMA}]
    if case.reasons:
        body |= {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}
    if case.is_structured:
        body["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
    return body


def _generate_content(case: Case) -> Json:
    parts: list[Json] = [{"text": case.text}]
    if case.shows_image:
        parts.append({"inlineData": {"mimeType": "image/png", "data": PIXEL}})
    contents: list[Json] = [{"role": "user", "parts": parts}]
    if case.calls:
        calls: list[Json] = [
            {"functionCall": {"id": c.id, "name": "Read", "args": json.loads(c.arguments)}}
            for c in case.calls
        ]
        # As a client does for calls that Gemini has not made itself.
        calls[0]["thoughtSignature"] = "skip_thought_signature_validator"
        results = [
            {"functionResponse": {"id": c.id, "name": "Read", "response": {"output": c.result}}}
            for c in case.calls
        ]
        contents += [{"role": "model", "parts": calls}, {"role": "user", "parts": results}]
    settings: Json = {}
    if case.reasons:
        settings["thinkingConfig"] = {"thinkingLevel": "HIGH", "includeThoughts": True}
    if case.is_structured:
        settings |= {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    body: Json = {"systemInstruction": {"parts": [{"text": SYSTEM}]}, "contents": contents}
    if case.offers:
        declared = {"name": "Read", "parametersJsonSchema": SCHEMA}
        body["tools"] = [{"functionDeclarations": [declared]}]
    return {**body, "generationConfig": settings} if settings else body


_BODIES = {
    "responses": _responses,
    "chat_completions": _chat_completions,
    "messages": _messages,
    "generate_content": _generate_content,
}
