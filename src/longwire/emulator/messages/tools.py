"""Tools of Messages: their shapes, and what they are among the emulator's own."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from longwire.emulator.items import Item
from longwire.emulator.messages.errors import extra, refused, required
from longwire.emulator.options import Json

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
OWN = (
    "name description input_schema type cache_control strict defer_loading input_examples"
    " eager_input_streaming allowed_callers"
)
MEMBERS = frozenset(OWN.split())
CLIENT_SIDE = ("bash_", "text_editor_", "memory_", "computer_")
"""Tools of Anthropic's own that the client runs; the model knows their schemas."""
SERVER_SIDE = (
    *("web_search_", "web_fetch_", "code_execution_", "advisor_", "tool_search_tool_"),
    *("browser_toolset_", "computer_toolset_", "mcp_toolset"),
)
CHOICES: Mapping[str, str] = {"auto": "auto", "any": "required", "none": "none"}


def check_tools(tools: list[Json]) -> None:
    """Tools of known types with names of their own; those of the client have a schema."""
    for index, tool in enumerate(tools):
        where = f"tools.{index}"
        if not isinstance(tool, dict):
            raise refused(f"{where}: Input should be a valid dictionary")
        kind = tool.get("type") or "custom"
        if kind == "custom":
            check_custom(tool, f"{where}.custom")
        elif not isinstance(kind, str) or not kind.startswith(CLIENT_SIDE + SERVER_SIDE):
            raise refused(
                f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected"
                " tags: 'bash_20250124', 'custom', 'text_editor_20250728', 'web_search_20250305'"
            )
    names = [tool.get("name") for tool in tools if tool.get("name")]
    if len({*names}) != len(names):
        raise refused("tools: Tool names must be unique.")


def check_custom(tool: Item, where: str) -> None:
    """A tool that the client runs: a name and the schema of an object."""
    for name in ("name", "input_schema"):
        if tool.get(name) is None:
            raise required(f"{where}.{name}")
    for name in tool:
        if name not in MEMBERS:
            raise extra(f"{where}.{name}")
    check_name(tool["name"], f"{where}.name")
    schema = tool["input_schema"]
    if not isinstance(schema, dict):
        raise refused(f"{where}.input_schema: Input should be a valid dictionary")
    if "type" not in schema:
        raise required(f"{where}.input_schema.type")
    if schema["type"] != "object":
        raise refused(f"{where}.input_schema.type: Input should be 'object'")


def check_name(name: Json, where: str) -> None:
    """A name of at most 128 characters of few kinds."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise refused(f"{where}: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")


def check_choice(body: Mapping[str, Any]) -> None:
    """A choice that there is, of a tool that there is."""
    choice = body.get("tool_choice")
    if choice is None:
        return
    kind = choice.get("type")
    if kind not in (*CHOICES, "tool"):
        raise refused(
            f"tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected"
            " tags: 'any', 'auto', 'none', 'tool'"
        )
    if not body.get("tools") and not body.get("thread"):
        raise refused("tool_choice: tool_choice may only be specified while providing tools.")
    names = [tool.get("name") for tool in body.get("tools") or ()]
    if kind == "tool" and "name" not in choice:
        raise required("tool_choice.tool.name")
    if kind == "tool" and names and choice["name"] not in names:
        raise refused(f"tool_choice: Tool '{choice['name']}' not found in provided tools")


def own_tools(tools: list[Item]) -> Iterator[Item]:
    """The tools as the model knows them; a deferred one is marked."""
    for tool in tools:
        kind = str(tool.get("type") or "custom")
        deferred = {"defer_loading": True} if tool.get("defer_loading") else {}
        if kind == "custom" or kind.startswith(CLIENT_SIDE):
            yield function_of(tool) | deferred
        elif kind.startswith("web_search_"):
            yield {"type": "web_search", "name": tool.get("name"), **deferred}


def function_of(tool: Item) -> Item:
    """A tool that the client runs, as a function; it is strict only where it says so."""
    schema = {k: v for k, v in (tool.get("input_schema") or {}).items() if k != "$schema"}
    function = {"type": "function", "name": tool["name"], "description": tool.get("description")}
    return function | {"parameters": schema, "strict": bool(tool.get("strict"))}


def own_choice(choice: Item) -> Json:
    """A choice as the model knows it, empty being none."""
    if not choice:
        return None
    if choice["type"] == "tool":
        return {"type": "function", "name": choice["name"]}
    return CHOICES[choice["type"]]
