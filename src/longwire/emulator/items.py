"""The shapes of items, of their parts, and of tools: what a real upstream says of wrong ones.

Law: a refusal names the place, as in `input[2].output[0].type` (OpenAI reference, create a
response; ids and names of at most 64 characters: CLIProxyAPI `shortenCodexCallIDIfNeeded`).
"""

import re
from collections.abc import Mapping
from typing import Any

from longwire.emulator.errors import Rejected
from longwire.emulator.options import Json

Item = dict[str, Any]

HOSTED = (
    "web_search_call file_search_call code_interpreter_call image_generation_call mcp_call"
    " mcp_list_tools mcp_approval_request mcp_approval_response computer_call shell_call"
    " computer_call_output local_shell_call local_shell_call_output shell_call_output"
    " apply_patch_call apply_patch_call_output tool_search_call tool_search_output program"
    " program_output compaction_trigger configuration_update agent_message context_compaction"
)
REQUIRED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(HOSTED.split(), ()),
    "message": ("role", "content"),
    "reasoning": (),
    "item_reference": ("id",),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
    "custom_tool_call": ("call_id", "name", "input"),
    "custom_tool_call_output": ("call_id", "output"),
    "compaction": ("encrypted_content",),
    "additional_tools": ("role", "tools"),
}
ROLES = ("user", "assistant", "system", "developer")
OUTPUT_PARTS = ("output_text", "refusal")
INPUT_PARTS = ("input_text", "input_image", "input_file")
SOURCES: Mapping[str, tuple[str, ...]] = {
    "input_text": ("text",),
    "output_text": ("text",),
    "refusal": ("refusal",),
    "input_image": ("image_url", "file_id"),
    "input_file": ("file_id", "file_data", "file_url"),
}
"""Of each part, the texts of which it has one."""
OF_OTHER_DIALECTS = frozenset(
    [
        "cache_control",
        "tool_calls",
        "tool_call_id",
        "tool_use_id",
        "reasoning_content",
        "reasoning_details",
        "input_schema",
        "is_error",
        "citations",
        "signature",
    ]
)
"""Members of Chat Completions and of Messages that an API of Responses refuses."""
TOOLS = frozenset(
    [
        "function",
        "custom",
        "namespace",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
        "file_search",
        "code_interpreter",
        "image_generation",
        "mcp",
        "shell",
        "local_shell",
        "apply_patch",
        "computer",
        "computer_use_preview",
        "tool_search",
        "programmatic_tool_calling",
        "programmatic_tool_call",
    ]
)
LONGEST = 64
NAME = re.compile(r"[A-Za-z0-9_-]+")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def check_shape(item: Json, where: str) -> None:
    """Known type, required members, roles and the parts a role may have."""
    if not isinstance(item, dict):
        raise wrong_type(where)
    kind = item.get("type") or ("message" if "role" in item else None)
    if not isinstance(kind, str) or kind not in REQUIRED:
        raise wrong_value(kind, f"{where}.type")
    for name in REQUIRED[kind]:
        if not isinstance(item.get(name), (str, list)):
            raise missing(f"{where}.{name}")
    if not isinstance(item.get("id"), (str, type(None))):
        raise wrong_type(f"{where}.id")
    check_members(item, where)
    check_lengths(item, where)
    if kind == "message":
        check_message(item, where)
    elif kind in ("function_call_output", "custom_tool_call_output"):
        check_parts(item["output"], INPUT_PARTS, f"{where}.output")
    elif kind == "additional_tools":
        check_additional_tools(item, where)
    elif kind == "configuration_update":
        check_update(item, where)


def check_members(value: Item, where: str) -> None:
    """No members of another dialect."""
    for name in value:
        if name in OF_OTHER_DIALECTS:
            message = f"Unknown parameter: '{where}.{name}'."
            raise Rejected(message, code="unknown_parameter", param=f"{where}.{name}")


def check_lengths(item: Item, where: str) -> None:
    """Call ids and names have 1 to 64 characters, names of few kinds."""
    for name in ("call_id", "name"):
        value = item.get(name)
        if isinstance(value, str):
            check_length(value, f"{where}.{name}")
    if item.get("type") == "function_call":
        check_name(item.get("name"), f"{where}.name")


def check_length(text: str, where: str) -> None:
    """A text of 1 to 64 characters."""
    if len(text) > LONGEST:
        message = (
            f"Invalid '{where}': string too long. Expected a string with maximum length {LONGEST},"
            f" but got a string with length {len(text)} instead."
        )
        raise Rejected(message, code="string_above_max_length", param=where)
    if not text:
        message = (
            f"Invalid '{where}': empty string. Expected a string with minimum length 1, but got an"
            " empty string instead."
        )
        raise Rejected(message, code="empty_string", param=where)


def check_name(name: Json, where: str) -> None:
    """A name of a function, of a custom tool or of a format."""
    if not isinstance(name, str):
        raise missing(where)
    check_length(name, where)
    if not NAME.fullmatch(name):
        message = (
            f"Invalid '{where}': string does not match pattern. Expected a string that matches the"
            " pattern '^[a-zA-Z0-9_-]+$'."
        )
        raise Rejected(message, code="invalid_value", param=where)


def check_message(item: Item, where: str) -> None:
    """Assistant messages hold output parts, all others input parts."""
    role = item["role"]
    if role not in ROLES:
        raise wrong_value(role, f"{where}.role")
    kinds = OUTPUT_PARTS if role == "assistant" else INPUT_PARTS
    check_parts(item["content"], kinds, f"{where}.content")


def check_parts(content: str | list[Json], kinds: tuple[str, ...], where: str) -> None:
    """Parts of these kinds, each with what it is to show; a text is one part."""
    for index, part in enumerate(content if isinstance(content, list) else ()):
        place = f"{where}[{index}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in kinds:
            raise wrong_value(kind, f"{place}.type")
        check_members(part, place)
        sources = [name for name in SOURCES[kind] if isinstance(part.get(name), str)]
        if not sources:
            raise missing(f"{place}.{SOURCES[kind][0]}")
        if "image_url" in sources and not part["image_url"].startswith(("http", "data:image/")):
            message = f"Invalid '{place}.image_url'. Expected a valid URL."
            raise Rejected(message, code="invalid_value", param=f"{place}.image_url")


def check_additional_tools(item: Item, where: str) -> None:
    """Tools that a developer brings."""
    if item["role"] != "developer":
        raise wrong_value(item["role"], f"{where}.role")
    check_tools(item["tools"], f"{where}.tools")


def check_update(item: Item, where: str) -> None:
    """An effort, a format or both."""
    parts = [name for name in ("reasoning", "text") if isinstance(item.get(name), dict)]
    if not parts:
        raise missing(f"{where}.reasoning")
    check_effort(item.get("reasoning"), f"{where}.reasoning")
    check_format(item.get("text"), f"{where}.text")


def check_tools(tools: Json, where: str) -> None:
    """Tools of known types; those a client runs have a name, not one inside `function`."""
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        place = f"{where}[{index}]"
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind not in TOOLS:
            raise wrong_value(kind, f"{place}.type")
        check_members(tool, place)
        if kind in ("function", "custom", "namespace"):
            check_name(tool.get("name"), f"{place}.name")
        if not isinstance(tool.get("parameters"), (dict, type(None))):
            raise wrong_type(f"{place}.parameters")
        if kind == "namespace":
            check_tools(tool.get("tools"), f"{place}.tools")


def check_effort(reasoning: Json, where: str) -> None:
    """An effort that there is."""
    effort = reasoning.get("effort") if isinstance(reasoning, dict) else None
    if effort is not None and effort not in EFFORTS:
        raise wrong_value(effort, f"{where}.effort")


def check_format(text: Json, where: str) -> None:
    """A format of an answer: a schema has a name and stands beside it, not inside `json_schema`."""
    form = text.get("format") if isinstance(text, dict) else None
    if form is None:
        return
    kind = form.get("type") if isinstance(form, dict) else None
    if kind not in ("text", "json_object", "json_schema"):
        raise wrong_value(kind, f"{where}.format.type")
    if kind == "json_schema":
        check_name(form.get("name"), f"{where}.format.name")
        if not isinstance(form.get("schema"), dict):
            raise missing(f"{where}.format.schema")


def wrong_type(where: str) -> Rejected:
    """A value of another JSON type."""
    return Rejected(f"Invalid type for '{where}'.", code="invalid_type", param=where)


def wrong_value(value: Json, where: str) -> Rejected:
    """A value that is none of those there are."""
    return Rejected(f"Invalid value: {value!r}.", code="invalid_value", param=where)


def missing(where: str) -> Rejected:
    """A member that has to be there."""
    message = f"Missing required parameter: '{where}'."
    return Rejected(message, code="missing_required_parameter", param=where)
