"""One agent's conversation in each of the APIs that Longwire serves, for `load`.

The same instructions, tools and texts, each as clients of that API write them. What the model said
is sent back as such a client does: gathered from the very stream that it got.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from bench.talk import INSTRUCTIONS, TOOLS, text_of

Json = dict[str, Any]
RESPONSES, CHAT, MESSAGES = "Responses", "Chat Completions", "Messages"
_EFFORT, _MOST = "medium", 32_000
_MOVING = b',"cache_control":{"type":"ephemeral"}'


class Spelling(Protocol):
    """How the clients of one API write: the members that never change, and what grows."""

    path: str
    headers: str
    history: str
    head: ClassVar[Json]

    def opening(self, text: bytes) -> list[bytes]:
        """Return the history of a first turn."""

    def said(self, events: Iterable[Json]) -> tuple[list[bytes], str]:
        """Return what is sent back of an answer, and the id of its call."""

    def result(self, call: str, output: bytes) -> bytes:
        """Return what a tool gave."""

    def last(self, message: bytes) -> bytes:
        """Return the last part of a history as it is spelled there."""


class Responses:
    """Items, with reasoning as it came."""

    path, headers, history = "/v1/responses", "", "input"
    head: ClassVar[Json] = {
        "instructions": INSTRUCTIONS,
        "tools": TOOLS,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": _EFFORT},
    }

    def opening(self, text: bytes) -> list[bytes]:
        """Return the user's message."""
        part = b'{"type":"input_text","text":"%b"}' % text
        return [b'{"type":"message","role":"user","content":[%b]}' % part]

    def said(self, events: Iterable[Json]) -> tuple[list[bytes], str]:
        """Return the items that are done."""
        items = [e["item"] for e in events if e["type"] == "response.output_item.done"]
        calls = [item["call_id"] for item in items if item["type"] == "function_call"]
        return [_encode(item) for item in items], calls[0]

    def result(self, call: str, output: bytes) -> bytes:
        """Return the output of a call."""
        named = b'"call_id":"%b"' % call.encode()
        return b'{"type":"function_call_output",%b,"output":"%b"}' % (named, output)

    def last(self, message: bytes) -> bytes:
        """Return it as any other."""
        return message


class Chat:
    """Messages of Chat Completions; reasoning is not shown, so none comes back."""

    path, headers, history = "/v1/chat/completions", "", "messages"
    head: ClassVar[Json] = {
        "tools": [
            {"type": "function", "function": {k: v for k, v in tool.items() if k != "type"}}
            for tool in TOOLS
        ],
        "reasoning_effort": _EFFORT,
    }

    def opening(self, text: bytes) -> list[bytes]:
        """Return the instructions and the user's message."""
        system = _encode({"role": "system", "content": INSTRUCTIONS})
        return [system, b'{"role":"user","content":"%b"}' % text]

    def said(self, events: Iterable[Json]) -> tuple[list[bytes], str]:
        """Join the deltas to one message."""
        text = name = call = arguments = ""
        for delta in (choice["delta"] for event in events for choice in event["choices"]):
            text += delta.get("content") or ""
            for part in delta.get("tool_calls") or ():
                call = call or part.get("id") or ""
                name = name or part["function"].get("name") or ""
                arguments += part["function"].get("arguments") or ""
        function = {"name": name, "arguments": arguments}
        calls = [{"id": call, "type": "function", "function": function}]
        return [_encode({"role": "assistant", "content": text, "tool_calls": calls})], call

    def result(self, call: str, output: bytes) -> bytes:
        """Return a message of the tool."""
        return b'{"role":"tool","tool_call_id":"%b","content":"%b"}' % (call.encode(), output)

    def last(self, message: bytes) -> bytes:
        """Return it as any other."""
        return message


class Messages:
    """Messages of Anthropic's API, with a mark for its cache that moves on each turn."""

    path, headers, history = "/v1/messages", "anthropic-version: 2023-06-01\r\n", "messages"
    head: ClassVar[Json] = {
        "system": [{"type": "text", "text": INSTRUCTIONS, "cache_control": {"type": "ephemeral"}}],
        "tools": [
            {
                "name": tool["name"],
                "description": tool["description"],
                "input_schema": tool["parameters"],
            }
            for tool in TOOLS
        ],
        "max_tokens": _MOST,
        "thinking": {"type": "enabled", "budget_tokens": 8_000},
    }

    def opening(self, text: bytes) -> list[bytes]:
        """Return the user's message."""
        return [b'{"role":"user","content":[{"type":"text","text":"%b"}]}' % text]

    def said(self, events: Iterable[Json]) -> tuple[list[bytes], str]:
        """Gather blocks; the input of a tool is parsed, as clients do."""
        blocks: list[Json] = []
        inputs: list[str] = []
        for event in events:
            if event["type"] == "content_block_start":
                blocks.append(event["content_block"])
                inputs.append("")
            elif event["type"] == "content_block_delta":
                inputs[-1] += _gather(blocks[-1], event["delta"])
        for block, text in zip(blocks, inputs, strict=True):
            if block["type"] == "tool_use":
                block["input"] = json.loads(text or "{}")
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        return [_encode({"role": "assistant", "content": blocks})], calls[0]

    def result(self, call: str, output: bytes) -> bytes:
        """Return a user's message with the result."""
        block = b'{"type":"tool_result","tool_use_id":"%b","content":"%b"}' % (
            call.encode(),
            output,
        )
        return b'{"role":"user","content":[%b]}' % block

    def last(self, message: bytes) -> bytes:
        """Mark it for the cache."""
        return message.removesuffix(b"}]}") + _MOVING + b"}]}"


def _gather(block: Json, delta: Json) -> str:
    """Add a delta to its block; return what it adds to the input of a tool."""
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "input_json_delta":
            return str(delta["partial_json"])
        case _:
            pass
    return ""


SPELLINGS: dict[str, Spelling] = {RESPONSES: Responses(), CHAT: Chat(), MESSAGES: Messages()}


@dataclass(slots=True)
class SpokenTalk:
    """A conversation: the first body has about `size` bytes, each turn adds about `growth`."""

    api: str
    plan: str
    size: int
    growth: int
    history: list[bytes] = field(default_factory=list)
    spelling: Spelling = field(init=False)
    path: str = field(init=False)
    headers: str = field(init=False)
    sends_back: bool = True

    def __post_init__(self) -> None:
        """Begin with the user's message."""
        self.spelling = SPELLINGS[self.api]
        self.path, self.headers = self.spelling.path, self.spelling.headers
        empty = sum(map(len, self.spelling.opening(b"")))
        self.history = self.spelling.opening(text_of(self.size - len(self._head()) - empty))

    def body(self) -> bytes:
        """Return the whole body of the next turn."""
        *earlier, last = self.history
        parts = b",".join((*earlier, self.spelling.last(last)))
        return b'%b,"%b":[%b]}' % (self._head(), self.spelling.history.encode(), parts)

    def grow(self, answer: bytes) -> None:
        """Add what the model said, as the stream had it, and what its tool gave."""
        lines = answer.split(b"\n")
        data = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: {")]
        said, call = self.spelling.said(map(json.loads, data))
        output = text_of(self.growth - sum(map(len, said)))
        self.history += (*said, self.spelling.result(call, output))

    def _head(self) -> bytes:
        members = {"model": self.plan, "stream": True, **self.spelling.head}
        return _encode(members).removesuffix(b"}")


def _encode(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
