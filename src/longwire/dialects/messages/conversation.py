"""The messages of a request as items, in the order of their blocks.

Law: the same messages give the same bytes. What grows in the middle (a tool that was found, an
effort that changes) becomes an item in its place, so that all before it stays what it was.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects.fields import NoEquivalent, decoded, invalid
from longwire.dialects.messages.assistant import assistant_items
from longwire.dialects.messages.blocks import Block, blocks_of, parts_of, text_part
from longwire.dialects.messages.ids import upstream_call_id
from longwire.dialects.messages.reasoning import check_effort
from longwire.dialects.messages.tools import inline_tool
from longwire.dialects.raw_json import NULL

_BILLING: Final = b'"x-anthropic-billing-header:'
_FIRST_LINE: Final = re.compile(rb'"(?:[^"\\]|\\[^n])*+(?:\\n)?')
"""The beginning of a raw JSON text up to the end of its first line."""

_TOOLS: Final = b'{"type":"additional_tools","role":"developer","tools":['
_UPDATE: Final = b'{"type":"configuration_update","reasoning":'
_encode: Final = msgspec.json.Encoder().encode


class _Config(msgspec.Struct):
    effort: str | None = None


class Message(msgspec.Struct, omit_defaults=True):
    """What is read of one message."""

    role: str
    content: Raw = NULL
    output_config: _Config | None = None


class _Changed(msgspec.Struct):
    name: str | None = None
    definition: Raw = NULL


decode_messages: Final = msgspec.json.Decoder(list[Message] | None).decode
_decode_changed: Final = msgspec.json.Decoder(_Changed).decode


def system_item(system: Raw) -> bytes | None:
    """Return the message that a system prompt is, without its billing line; None for an empty one.

    Raises `InvalidRequest`.
    """
    blocks = blocks_of(system, "system")
    parts = [
        part
        for number, block in enumerate(blocks)
        for part in parts_of(_without_billing(block), f"system.{number}")
    ]
    return _message(b"developer", parts) if parts else None


def _without_billing(block: Block) -> Block:
    """Return a block of text without the line of billing at its beginning."""
    if bytes(memoryview(block.text)[: len(_BILLING)]) != _BILLING:
        return block
    return Block("text", Raw(_FIRST_LINE.sub(b'"', bytes(block.text), count=1)))


def _message(role: bytes, parts: Sequence[bytes]) -> bytes:
    body = b",".join(parts)
    return b'{"type":"message","role":"%b","content":[%b]}' % (role, body)


class Conversation:
    """Collects the items of messages; `effort` is the one in force, `leading` items come first.

    `left_out` names the blocks, and what is said of blocks, that have no equivalent; the `refusal`
    is of the first that changes the answer. `silent` is the place of a last word of the user's of
    which nothing is left, "" for none.
    """

    __slots__ = (
        *("_deferred", "_earlier", "_effort", "_has_begun"),
        *("items", "leading", "left_out", "refusal", "silent"),
    )

    def __init__(self, deferred: Mapping[str, bytes], effort: str | None) -> None:
        self._deferred = deferred
        self._earlier = self._effort = effort
        self._has_begun = False
        self.items: list[bytes] = []
        self.left_out: list[str] = []
        self.refusal: InvalidRequest | None = None
        self.silent = ""
        self.leading = 0

    def add_system(self, system: Raw) -> None:
        """Add the system prompt. Raises `InvalidRequest`."""
        item = system_item(system)
        if item is not None:
            self.items.append(item)
            self.leading = len(self.items)

    def add(self, message: Message, index: int) -> None:
        """Add a message. Raises `InvalidRequest`, which names the place."""
        at = f"messages.{index}.content"
        self.silent = ""
        match message.role:
            case "user":
                self._has_begun, count = True, len(self.items)
                self._add_user(message.content, at)
                self.silent = at if len(self.items) == count else ""
            case "assistant":
                self._has_begun = True
                self.items += assistant_items(message.content, at, self.left_out)
            case "system":
                self._add_developer(message, at)
            case role:
                fault = f"is '{role[:40]}'; it must be user, assistant or system"
                raise invalid(f"messages.{index}.role", fault)

    def _add_user(self, content: Raw, at: str) -> None:
        parts: list[bytes] = []
        for number, block in enumerate(blocks_of(content, at)):
            place = f"{at}.{number}"
            if block.type != "tool_result":
                if b"true" in bytes(block.citations):
                    self.left_out.append("citations")
                parts += self._parts(block, place)
                continue
            self._flush(b"user", parts)
            self._add_result(block, place)
        self._flush(b"user", parts)

    def _parts(self, block: Block, at: str) -> list[bytes]:
        """Return the parts that a block is, none for one that has no equivalent."""
        try:
            return [*parts_of(block, at)]
        except NoEquivalent as error:
            self._refuse(error, block.type[:40])
            return []

    def _refuse(self, error: InvalidRequest, name: str) -> None:
        self.refusal = self.refusal or error
        self.left_out.append(name)

    def _flush(self, role: bytes, parts: list[bytes]) -> None:
        if parts:
            self.items.append(_message(role, parts))
            parts.clear()

    def _add_result(self, block: Block, at: str) -> None:
        if not block.tool_use_id:
            raise invalid(f"{at}.tool_use_id", "is required")
        if block.is_error:
            self.left_out.append("is_error")
        call_id = _encode(upstream_call_id(block.tool_use_id))
        output, found = self._output(block.content, f"{at}.content")
        self.items.append(
            b'{"type":"function_call_output","call_id":%b,"output":%b}' % (call_id, output)
        )
        if found:
            self._add_tools(self._deferred[name] for name in found if name in self._deferred)

    def _output(self, content: Raw, at: str) -> tuple[bytes, list[str]]:
        """Return the output of a tool as raw JSON, and the names of the tools that it found."""
        raw = bytes(content)
        if raw == b"null":
            return b'""', []
        if raw[:1] == b'"':
            return raw, []
        parts: list[bytes] = []
        found: list[str] = []
        for number, block in enumerate(blocks_of(content, at)):
            if block.type != "tool_reference":
                parts += self._parts(block, f"{at}.{number}")
            elif block.tool_name:
                found.append(block.tool_name)
            else:
                raise invalid(f"{at}.{number}.tool_name", "is required")
        if found:
            parts.append(text_part(_encode(f"Tools that are loaded now: {', '.join(found)}.")))
        return (b"[%b]" % b",".join(parts) if parts else b'""'), found

    def _add_tools(self, tools: Iterable[bytes]) -> None:
        joined = b",".join(tools)
        if joined:
            self.items.append(_TOOLS + joined + b"]}")

    def _add_developer(self, message: Message, at: str) -> None:
        config = message.output_config
        if config is not None and config.effort:
            check_effort(config.effort, f"{at[: -len('.content')]}.output_config")
            self._change_effort(config.effort)
        parts: list[bytes] = []
        content = message.content if bytes(message.content) != b"null" else Raw(b"[]")
        for number, block in enumerate(blocks_of(content, at)):
            place = f"{at}.{number}"
            if block.type in ("tool_addition", "tool_removal"):
                self._flush(b"developer", parts)
                self._change_tools(block, f"{place}.tool")
            else:
                parts += self._parts(block, place)
        self._flush(b"developer", parts)
        if not self._has_begun:
            self.leading = len(self.items)

    def _add_inline(self, definition: Raw, at: str) -> None:
        try:
            self._add_tools([inline_tool(definition, at)])
        except NoEquivalent as error:
            self._refuse(error, "tool_addition")

    def _change_effort(self, effort: str) -> None:
        """Say from here on how hard to think; of two in a row the last one counts."""
        if self.items and self.items[-1].startswith(_UPDATE):
            self.items.pop()
            self._effort = self._earlier
        if effort != self._effort:
            self._earlier, self._effort = self._effort, effort
            self.items.append(b'%b{"effort":%b}}' % (_UPDATE, _encode(effort)))

    def _change_tools(self, block: Block, at: str) -> None:
        changed = decoded(_decode_changed, block.tool, at)
        if block.type == "tool_addition":
            if bytes(changed.definition) != b"null":
                self._add_inline(changed.definition, f"{at}.definition")
            elif changed.name is not None and changed.name in self._deferred:
                self._add_tools([self._deferred[changed.name]])
        elif changed.name:
            text = _encode(f"The tool {changed.name} is no longer available.")
            self.items.append(_message(b"developer", [text_part(text)]))


def without_prefill(
    messages: Sequence[Message],
) -> tuple[Sequence[Message], InvalidRequest | None]:
    """Return messages without an answer that is begun for the model, and why it is left out.

    Raises `InvalidRequest` where nothing else is there.
    """
    kept = len(messages)
    while kept and messages[kept - 1].role == "assistant":
        kept -= 1
    if kept == len(messages):
        return messages, None
    words = (
        "The last message is the assistant's: an answer that is begun for the model (prefill) "
        "cannot be continued here. End with a user message."
    )
    prefill = InvalidRequest(words, param=f"messages.{len(messages) - 1}.role")
    if not kept:
        raise prefill
    return messages[:kept], prefill
