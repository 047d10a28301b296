"""Tools of the Responses API as those of the Messages API, and which of them is called.

A custom tool takes one text: Claude gets a tool whose `input` is a string. The tools that an API
knows by their types have their actions as input.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.fields import decoded, invalid
from longwire.dialects.messages.losses import Losses
from longwire.dialects.messages.upstream_names import ClientTool, safe_name
from longwire.dialects.raw_json import NULL, split_members, tolerant
from longwire.dialects.schemas import NO_PARAMETERS, with_required

SEARCH: Final = "web_search"
_SEARCH_TYPE: Final = "web_search_20250305"
_TEXT_INPUT: Final = (
    b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}'
)
_COMMAND: Final = (
    b'{"type":"object","properties":{"type":{"const":"exec"},"command":{"type":"array","items":'
    b'{"type":"string"}},"working_directory":{"type":"string"},"timeout_ms":{"type":"integer"},'
    b'"env":{"type":"object"}},"required":["type","command"]}'
)
_COMMANDS: Final = (
    b'{"type":"object","properties":{"commands":{"type":"array","items":{"type":"string"}},'
    b'"timeout_ms":{"type":"integer"},"max_output_length":{"type":"integer"}},'
    b'"required":["commands"]}'
)
_OPERATION: Final = (
    b'{"type":"object","properties":{"type":{"enum":["create_file","update_file","delete_file"]},'
    b'"path":{"type":"string"},"diff":{"type":"string"}},"required":["type","path"]}'
)
BY_TYPE: Final = {
    "local_shell": ("local_shell_call", b"Runs a command on the user's machine.", _COMMAND),
    "shell": ("shell_call", b"Runs commands in a shell on the user's machine.", _COMMANDS),
    "apply_patch": ("apply_patch_call", b"Changes a file by a diff in V4A format.", _OPERATION),
}
"""The tools that clients run by their types: the item of a call, what it does, what it takes."""


class _Format(msgspec.Struct, gc=False):
    type: str = ""
    syntax: str = ""
    definition: str = ""


class _Filters(msgspec.Struct, gc=False):
    allowed_domains: list[str] | None = None


class Tool(msgspec.Struct, gc=False):
    """What is read of a tool."""

    type: str = "function"
    name: str = ""
    description: Raw = NULL
    parameters: Raw = NULL
    strict: bool | None = None
    format: _Format | None = None
    tools: Sequence["Tool"] | None = None
    filters: _Filters | None = None
    user_location: Raw = NULL


class _Choice(msgspec.Struct):
    type: str = ""
    name: str = ""
    namespace: str | None = None
    mode: str = ""
    tools: Sequence[Tool] | None = None


_decode_tools: Final = tolerant(msgspec.json.Decoder(list[Tool] | None).decode)
_decode_choice: Final = tolerant(msgspec.json.Decoder(str | _Choice | None).decode)
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)
_encode: Final = msgspec.json.encode
_CHOICES: Final = {"auto": "auto", "required": "any", "none": "none"}
_NAMED: Final = {"function": "function_call", "custom": "custom_tool_call"}


class Offer:
    """Collects the tools of a turn: `raw` in their order, `by_name` those that the client runs."""

    __slots__ = ("_losses", "_may_be_strict", "by_name", "raw")

    def __init__(self, losses: Losses, *, may_be_strict: bool) -> None:
        self._losses = losses
        self._may_be_strict = may_be_strict
        self.raw: list[bytes] = []
        self.by_name: dict[str, ClientTool] = {}

    def add(self, tools: bytes | Raw, at: str) -> None:
        """Offer more tools; one whose name is taken is left out. Raises `InvalidRequest`."""
        for number, tool in enumerate(decoded(_decode_tools, tools, at) or ()):
            self._add(tool, f"{at}.{number}", None)

    def _add(self, tool: Tool, at: str, namespace: str | None) -> None:
        kind = tool.type
        if kind == "namespace":
            for number, inner in enumerate(tool.tools or ()):
                self._add(inner, f"{at}.tools.{number}", tool.name)
        elif kind in _NAMED:
            if not tool.name:
                raise invalid(f"{at}.name", "is required")
            said = self._function(tool) if kind == "function" else _custom(tool)
            self._offer(ClientTool(_NAMED[kind], tool.name, namespace), said)
        elif kind in BY_TYPE:
            item, words, schema = BY_TYPE[kind]
            said = b',"description":"%b","input_schema":%b}' % (words, schema)
            self._offer(ClientTool(item, kind), said)
        elif kind.startswith(SEARCH):
            search = _search(tool)
            if search not in self.raw:
                self.raw.append(search)
        else:
            fault = f"is '{kind[:40]}', a tool that runs on another vendor's servers"
            self._losses.refuse(f"tools.{kind}", fault, f"{at}.type")

    def _offer(self, tool: ClientTool, said: bytes) -> None:
        name = safe_name(tool.name, tool.namespace)
        if name not in self.by_name:
            self.by_name[name] = tool
            self.raw.append(b'{"name":%b%b' % (_encode(name), said))

    def add_called(self, names: Iterable[str]) -> None:
        """Offer tools that were called before: a history with calls is refused without any."""
        for name in names:
            self._offer(ClientTool("function_call", name), b',"input_schema":%b}' % NO_PARAMETERS)

    def _function(self, tool: Tool) -> bytes:
        strict = b',"strict":true' if tool.strict and self._may_be_strict else b""
        schema = bytes(tool.parameters)
        return b'%b,"input_schema":%b%b}' % (_description(tool), _object(schema), strict)


def _object(schema: bytes) -> bytes:
    """Return a schema whose root is an object, which Claude requires."""
    if schema[:1] != b"{":
        return NO_PARAMETERS
    try:
        members = split_members(schema)
    except msgspec.MsgspecError:
        return NO_PARAMETERS
    if bytes(members.get("type", NULL)) != b'"object"':
        members = {"type": Raw(b'"object"')} | {
            name: raw for name, raw in members.items() if name != "type"
        }
        schema = msgspec.json.encode(members)
    return with_required(schema)


def _description(tool: Tool) -> bytes:
    raw = bytes(tool.description)
    return b',"description":' + raw if raw[:1] == b'"' else b""


def _custom(tool: Tool) -> bytes:
    """Return a tool of one text, whose grammar is described."""
    raw = bytes(tool.description)
    words = _decode_text(raw) if raw[:1] == b'"' else ""
    grammar = tool.format
    if grammar is not None and grammar.definition:
        words += f"\n\nThe input follows this {grammar.syntax} grammar:\n{grammar.definition}"
    said = b',"description":' + _encode(words.strip()) if words.strip() else b""
    return b'%b,"input_schema":%b}' % (said, _TEXT_INPUT)


def _search(tool: Tool) -> bytes:
    search: dict[str, object] = {"type": _SEARCH_TYPE, "name": SEARCH}
    if tool.filters is not None and tool.filters.allowed_domains:
        search["allowed_domains"] = tool.filters.allowed_domains
    if bytes(tool.user_location)[:1] == b"{":
        search["user_location"] = tool.user_location
    return _encode(search)


def choice_of(raw: bytes | None, losses: Losses) -> dict[str, str]:
    """Return `tool_choice`, {} where Claude chooses. Raises `InvalidRequest`."""
    choice = decoded(_decode_choice, raw, "tool_choice") if raw is not None else None
    if choice is None:
        return {}
    if isinstance(choice, str):
        if choice not in _CHOICES:
            raise invalid("tool_choice", "must be auto, required, none, or name a tool")
        return {"type": _CHOICES[choice]}
    if choice.type == "allowed_tools":
        return _allowed(choice, losses)
    if choice.type in _NAMED:
        return {"type": "tool", "name": safe_name(choice.name, choice.namespace)}
    if choice.type in BY_TYPE or choice.type.startswith(SEARCH):
        return {"type": "tool", "name": choice.type if choice.type in BY_TYPE else SEARCH}
    losses.refuse("tool_choice", "names a tool that Claude has not")
    return {}


def _allowed(choice: _Choice, losses: Losses) -> dict[str, str]:
    """Return the one tool that must be called; a choice among several cannot be said."""
    tools = choice.tools or ()
    if choice.mode == "required" and len(tools) == 1:
        return {"type": "tool", "name": safe_name(tools[0].name)}
    losses.refuse("tool_choice", "allows some of the tools, which Claude cannot be made to heed")
    return {"type": "any"} if choice.mode == "required" else {}
