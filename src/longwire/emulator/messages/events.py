"""The events of one answer of Messages, and the whole answer that they add up to.

Law: one block is open at a time, indices run 0.. without gaps, usage is cumulative, and
`message_stop` comes last (Anthropic reference, streaming messages).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from longwire.emulator.events import Event, Mark
from longwire.emulator.items import Item
from longwire.emulator.messages.caching import BYTES_A_TOKEN, Usage
from longwire.emulator.messages.context import Block
from longwire.emulator.options import Json, Script

DELTAS = {"thinking": "thinking_delta", "text": "text_delta"}
FILLED = {"text": "text", "thinking": "thinking", "signature": "signature"}
"""Members of a block that come by deltas."""


@dataclass(slots=True)
class Story:
    """The events of one answer; `usage` is that of the prompt."""

    message_id: str
    model: str
    script: Script
    usage: Usage
    tells_usage: bool = True
    """Whether the usage is told at the beginning, too."""
    content: list[Block] = field(default_factory=list)
    stop: Item = field(default_factory=lambda: {"stop_reason": None, "stop_sequence": None})
    output_bytes: int = 0
    thinking_bytes: int = 0

    def opening(self) -> Iterator[Event]:
        """`message_start`, and the first ping."""
        yield self.start()
        yield event("ping")

    def start(self) -> Event:
        """`message_start` with the message as it stands now."""
        nothing = {"input_tokens": 0, "output_tokens": 0}
        usage = self.counted(1) if self.tells_usage else nothing
        return event("message_start", "created", message=self.message() | {"usage": usage})

    def block(self, block: Block, arguments: str = "") -> Iterator[Event]:
        """The events of one block; `arguments` are those of a call as they were written."""
        index = len(self.content)
        kind = block["type"]
        started = {name: "" if name in FILLED else value for name, value in block.items()}
        if kind in ("tool_use", "server_tool_use"):
            started["input"] = {}
        yield event("content_block_start", index=index, content_block=started)
        for delta in self._deltas(block, arguments):
            yield event("content_block_delta", "delta", index=index, delta=delta)
        self.content.append(block)
        size = len(msgspec.json.encode(block))
        self.output_bytes += size
        self.thinking_bytes += size if kind.endswith("thinking") else 0
        yield event("content_block_stop", "item", index=index)

    def ending(self) -> Iterator[Event]:
        """`message_delta` with the reason of the end, and `message_stop`."""
        yield event("message_delta", delta=self.stop, usage=self.final())
        yield event("message_stop", "terminal")

    def message(self) -> dict[str, Any]:
        """The message as it stands now."""
        return {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": self.content,
            **self.stop,
            "usage": self.counted(0) | self.final(),
        }

    def counted(self, output: int) -> dict[str, Any]:
        """The usage at the beginning."""
        creation = {"cache_creation": self.usage.creation()}
        tier = {"output_tokens": output, "service_tier": "standard"}
        return self.usage.members() | creation | tier

    def final(self) -> dict[str, Any]:
        """The usage at the end."""
        details = {"thinking_tokens": self.thinking_bytes // BYTES_A_TOKEN}
        output = {"output_tokens": self.output_bytes // BYTES_A_TOKEN + 1}
        return self.usage.members() | output | {"output_tokens_details": details}

    def _deltas(self, block: Block, arguments: str) -> Iterator[Item]:
        kind = block["type"]
        if kind in ("tool_use", "server_tool_use"):
            yield {"type": "input_json_delta", "partial_json": ""}
            for piece in self._pieces("" if arguments == "{}" else arguments):
                yield {"type": "input_json_delta", "partial_json": piece}
        if kind in DELTAS:
            for piece in self._pieces(block[kind]):
                yield {"type": DELTAS[kind], kind: piece}
        for citation in block.get("citations") or ():
            yield {"type": "citations_delta", "citation": citation}
        if kind == "thinking":
            yield {"type": "signature_delta", "signature": block["signature"]}

    def _pieces(self, text: str) -> Iterator[str]:
        size = self.script.delta_bytes or -(-len(text) // self.script.deltas) or 1
        for start in range(0, len(text), size):
            yield text[start : start + size]


def event(kind: str, mark: Mark = "", **members: Json) -> Event:
    """One event, of which the type comes first."""
    return Event(kind, msgspec.json.encode({"type": kind, **members}), mark)
