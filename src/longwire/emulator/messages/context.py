"""A conversation of Messages as the emulator's own items, for its model and its oracle.

Law: a history said here gives the items of the same history over Responses, its reasoning left out.
What cannot be said there (`is_error`) stands as a member of its item, so that the oracle sees it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from longwire.emulator.items import Item
from longwire.emulator.options import Json
from longwire.emulator.oracle import encode, without_nulls

Block = dict[str, Any]
Message = dict[str, Any]

BILLING = "x-anthropic-billing-header:"
"""How a block begins that Claude Code writes for the bill; the model is not shown it."""


def blocks_of(content: Json) -> list[Block]:
    """The blocks of a content; a string is one of text."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def merged(messages: Iterable[Message]) -> list[Message]:
    """Messages with blocks as their content; those of one role side by side are one."""
    found: list[Message] = []
    for message in messages:
        blocks = blocks_of(message["content"])
        if found and found[-1]["role"] == message["role"] != "system":
            found[-1]["content"] += blocks
        else:
            found.append(message | {"content": [*blocks]})
    return found


def items_of(system: Json, messages: Iterable[Message], tools: Sequence[Item]) -> list[Item]:
    """The items of a conversation; `tools` are those of the request, as Responses spells them."""
    shown = [part for block in blocks_of(system) for part in parts_of(block)]
    items = [spoken("developer", shown)] if shown else []
    for message in merged(messages):
        items += items_of_message(message, tools)
    return items


def items_of_message(message: Message, tools: Sequence[Item]) -> Iterator[Item]:
    """The items of one message, in the order of its blocks."""
    if message["role"] == "assistant":
        for block in message["content"]:
            yield from items_of_answer(block)
        return
    role = "developer" if message["role"] == "system" else "user"
    if effort := (message.get("output_config") or {}).get("effort"):
        yield {"type": "configuration_update", "reasoning": {"effort": effort}}
    parts: list[Item] = []
    for block in message["content"]:
        alone = list(items_of_block(block, tools))
        if alone and parts:
            yield spoken(role, parts)
            parts = []
        yield from alone
        parts += parts_of(block)
    if parts:
        yield spoken(role, parts)


def items_of_answer(block: Block) -> Iterator[Item]:
    """The item of a block that the model wrote; thinking is none."""
    match block["type"]:
        case "text":
            yield spoken("assistant", [{"type": "output_text", "text": block["text"]}])
        case "tool_use":
            arguments = encode(block["input"]).decode()
            call = {"call_id": block["id"], "name": block["name"], "arguments": arguments}
            yield {"type": "function_call", **call}
        case "server_tool_use" if block["name"] == "web_search":
            query = block["input"].get("query")
            action = {"type": "search", "query": query, "queries": [query]}
            yield {"type": "web_search_call", "action": action}
        case _:
            return


def spoken(role: str, parts: list[Item]) -> Item:
    """A message item."""
    return {"type": "message", "role": role, "content": parts}


def items_of_block(block: Block, tools: Sequence[Item]) -> Iterator[Item]:
    """The items of a user's block that is more than a part of a message."""
    match block["type"]:
        case "tool_result":
            yield output_of(block)
            yield from additional(tools, references(block))
        case "tool_addition":
            yield from additional(tools, [block["tool"].get("name")])
        case _:
            return


def additional(tools: Sequence[Item], names: list[Json]) -> Iterator[Item]:
    """The item of tools that arrive in the middle, if there are any."""
    known = {tool["name"]: {**tool, "defer_loading": None} for tool in tools}
    if found := [without_nulls(known[name]) for name in names if name in known]:
        yield {"type": "additional_tools", "role": "developer", "tools": found}


def references(block: Block) -> list[str]:
    """The names of the tools that a tool's result refers to."""
    return [inner["tool_name"] for inner in inner_blocks(block) if "tool_name" in inner]


def inner_blocks(block: Block) -> list[Block]:
    """The blocks inside a tool's result."""
    return blocks_of(block.get("content"))


def output_of(block: Block) -> Item:
    """The item of a tool's result."""
    parts = [part for inner in inner_blocks(block) for part in parts_of(inner)]
    if found := references(block):
        parts.append(shown_text(f"Tools that are loaded now: {', '.join(found)}."))
    failed = {"is_error": True} if block.get("is_error") else {}
    call_id, output = block["tool_use_id"], parts or ""
    return {"type": "function_call_output", "call_id": call_id, "output": output, **failed}


def parts_of(block: Block) -> Iterator[Item]:
    """The parts of a message that a block is; none for thinking and for what is an item."""
    match block["type"]:
        case "text" if not block["text"].startswith(BILLING):
            yield shown_text(block["text"])
        case "image":
            yield {"type": "input_image", **address_of(block["source"], "image_url")}
        case "document":
            yield from parts_of_document(block)
        case "search_result":
            yield from map(shown_text, (block["title"], block["source"]))
            yield from (part for inner in block["content"] for part in parts_of(inner))
        case _:
            return


def shown_text(text: str) -> Item:
    """A part that is a text."""
    return {"type": "input_text", "text": text}


def parts_of_document(block: Block) -> Iterator[Item]:
    """The parts of a document: what it says about itself, and its content."""
    yield from (shown_text(block[name]) for name in ("title", "context") if block.get(name))
    source = block["source"]
    match source["type"]:
        case "text":
            yield shown_text(source["data"])
        case "content":
            inner = blocks_of(source["content"])
            yield from (part for each in inner for part in parts_of(each))
        case "base64":
            name = block.get("title") or "document.pdf"
            yield {"type": "input_file", "filename": name, **address_of(source, "file_data")}
        case _:
            yield {"type": "input_file", **address_of(source, "file_url")}


def address_of(source: Item, member: str) -> Item:
    """Where the content of a source is, as a member of a part; base64 is a data URL."""
    match source["type"]:
        case "base64":
            return {member: f"data:{source['media_type']};base64,{source['data']}"}
        case "file":
            return {"file_id": source["file_id"]}
        case _:
            return {member: source["url"]}
