"""The shapes of blocks of Messages: which stand where, and what each one needs and takes."""

import re
from collections.abc import Mapping

from longwire.emulator.messages.context import Block
from longwire.emulator.messages.errors import extra, refused, required
from longwire.emulator.messages.marks import check_mark
from longwire.emulator.messages.tools import check_name
from longwire.emulator.options import Json

ID = re.compile(r"[a-zA-Z0-9_-]+")
SHAPES: Mapping[str, tuple[str, str]] = {
    "text": ("text", "citations cache_control"),
    "image": ("source", "cache_control transformations"),
    "document": ("source", "title context citations cache_control"),
    "search_result": ("source title content", "citations cache_control"),
    "thinking": ("thinking signature", ""),
    "redacted_thinking": ("data", ""),
    "tool_use": ("id name input", "caller toolset_name cache_control"),
    "server_tool_use": ("id name input", "caller cache_control"),
    "tool_result": ("tool_use_id", "content is_error toolset_name cache_control"),
    "web_search_tool_result": ("tool_use_id content", "caller cache_control"),
    "tool_reference": ("tool_name", "cache_control"),
    "tool_addition": ("tool", "cache_control"),
    "tool_removal": ("tool", "cache_control"),
}
"""What a block needs, and what it takes beside that; other blocks are taken as they are."""
SHOWN = ("document", "image", "search_result", "text")
HOSTED = (
    *("web_fetch_tool_result", "code_execution_tool_result", "bash_code_execution_tool_result"),
    *("text_editor_code_execution_tool_result", "tool_search_tool_result", "mcp_tool_use"),
    *("mcp_tool_result", "container_upload", "compaction", "fallback", "advisor_tool_result"),
)
KINDS: Mapping[str, tuple[str, ...]] = {
    "user": (*SHOWN, "container_upload", "tool_result"),
    "assistant": (
        *("redacted_thinking", "server_tool_use", "text", "thinking", "tool_use"),
        *("web_search_tool_result", *HOSTED),
    ),
    "system": ("text", "tool_addition", "tool_removal"),
    "result": (*SHOWN, "tool_reference"),
}
SOURCES: Mapping[str, tuple[str, ...]] = {
    "base64": ("media_type", "data"),
    "url": ("url",),
    "file": ("file_id",),
    "text": ("media_type", "data"),
    "content": ("content",),
}
SYSTEM_MESSAGES = ("claude-code-", "mid-conversation-", "per-turn-control-")
"""Betas that bring messages of role `system`, by how their names begin."""


def check_system(system: Json) -> None:
    """The system prompt: a text, or blocks of text."""
    if system is None or isinstance(system, str):
        return
    if not isinstance(system, list):
        raise refused("system: Input should be a valid list")
    for index, block in enumerate(system):
        check_block(block, ("text",), f"system.{index}")


def check_messages(messages: list[Json], betas: frozenset[str]) -> None:
    """Each message by itself: its role, its members and its blocks."""
    knows_system = any(beta.startswith(SYSTEM_MESSAGES) for beta in betas)
    for index, message in enumerate(messages):
        where = f"messages.{index}"
        role = message.get("role") if isinstance(message, dict) else None
        if role == "system" and not knows_system:
            raise refused(
                'messages: Unexpected role "system". The Messages API accepts a top-level `system`'
                ' parameter, not "system" as an input message role.'
            )
        if role not in ("user", "assistant", "system"):
            raise refused(f"{where}.role: Input should be 'user' or 'assistant'")
        if message.get("content") is None:
            raise required(f"{where}.content")
        for name in message:
            is_said = role == "system" and name in ("output_config", "clear_at")
            if name not in ("role", "content") and not is_said:
                raise extra(f"{where}.{name}")
        is_last = index == len(messages) - 1
        check_content(message, where, may_be_empty=role == "system" or is_last)


def check_content(message: Block, where: str, *, may_be_empty: bool) -> None:
    """The content of a message: a text or blocks, and some."""
    content, role = message["content"], message["role"]
    if not content and not (may_be_empty and role != "user"):
        raise refused(
            f"{where}: all messages must have non-empty content except for the optional final"
            " assistant message"
        )
    if isinstance(content, str):
        check_text({"text": content}, where)
        return
    if not isinstance(content, list):
        raise refused(f"{where}.content: Input should be a valid list")
    for index, block in enumerate(content):
        check_block(block, KINDS[role], f"{where}.content.{index}")


def check_block(block: Json, kinds: tuple[str, ...], where: str) -> None:
    """One block: a type that may stand here, its members, and what they say."""
    kind = block.get("type") if isinstance(block, dict) else None
    if kind is None:
        raise required(f"{where}.type")
    if kind not in kinds:
        expected = ", ".join(f"'{each}'" for each in sorted(kinds))
        raise refused(
            f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected"
            f" tags: {expected}"
        )
    if kind in SHAPES:
        check_shape(block, where)
    match kind:
        case "text":
            check_text(block, where)
        case "image" | "document":
            check_source(block["source"], f"{where}.{kind}.source")
        case "tool_use" | "server_tool_use":
            check_use(block, f"{where}.{kind}")
        case "tool_result":
            check_id(block["tool_use_id"], f"{where}.tool_result.tool_use_id")
            check_result(block.get("content"), f"{where}.tool_result.content")
        case _:
            return


def check_shape(block: Block, where: str) -> None:
    """The members that a block needs, and no other ones than it takes."""
    kind = block["type"]
    needed, taken = (names.split() for names in SHAPES[kind])
    for name in needed:
        if block.get(name) is None:
            raise required(f"{where}.{kind}.{name}")
    for name in block:
        if name not in ("type", *needed, *taken):
            raise extra(f"{where}.{kind}.{name}")
    check_mark(block.get("cache_control"), f"{where}.{kind}")


def check_text(block: Block, where: str) -> None:
    """A text that says something."""
    text = block["text"]
    if not isinstance(text, str):
        raise refused(f"{where}.text.text: Input should be a valid string")
    if not text and block.get("cache_control") is not None:
        raise refused(f"{where}.text: cache_control cannot be set for empty text blocks")
    place = where.partition(".")[0]
    if not text:
        raise refused(f"{place}: text content blocks must be non-empty")
    if not text.strip():
        raise refused(f"{place}: text content blocks must contain non-whitespace text")


def check_source(source: Json, where: str) -> None:
    """Where an image or a document comes from."""
    kind = str(source.get("type")) if isinstance(source, dict) else ""
    if kind not in SOURCES:
        raise refused(
            f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected"
            " tags: 'base64', 'file', 'url'"
        )
    for name in SOURCES[kind]:
        if source.get(name) is None:
            raise required(f"{where}.{kind}.{name}")


def check_use(block: Block, where: str) -> None:
    """A call: an id and a name of few kinds of characters, and an object."""
    check_id(block["id"], f"{where}.id")
    check_name(block["name"], f"{where}.name")
    if not isinstance(block["input"], dict):
        raise refused(f"{where}.input: Input should be a valid dictionary")


def check_id(identity: Json, where: str) -> None:
    """An id of a call."""
    if not isinstance(identity, str) or not ID.fullmatch(identity):
        raise refused(f"{where}: String should match pattern '^[a-zA-Z0-9_-]+$'")


def check_result(content: Json, where: str) -> None:
    """What a tool answered: a text, be it empty, or blocks."""
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        raise refused(f"{where}: Input should be a valid list")
    for index, block in enumerate(content):
        check_block(block, KINDS["result"], f"{where}.{index}")
