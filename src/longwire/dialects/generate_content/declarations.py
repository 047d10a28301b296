"""The tools of a turn as Gemini's, and which of the client's own tools each declared name is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.fields import decoded, invalid
from longwire.dialects.generate_content.client_tools import CLIENT_TOOLS, TOOL_SEARCH, schema_of
from longwire.dialects.generate_content.function_names import sent_name
from longwire.dialects.raw_json import NULL, tolerant

_NULL: Final = b"null"
_FUNCTION: Final = "function"
_encode: Final = msgspec.json.Encoder().encode
_INPUT: Final = schema_of(["input"], input={"type": "string"})
_SEARCHES: Final = ("web_search", "web_search_preview")


@dataclass(frozen=True, slots=True)
class Declared:
    """One of the client's own tools: its `kind` is its type in the Responses API."""

    kind: str
    name: str
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Tools:
    """The `tools` of a body as raw JSON, b"" for none, and whose each declared name is."""

    raw: bytes = b""
    declared: Mapping[str, Declared] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


class _Tool(msgspec.Struct):
    type: str
    name: str | None = None
    description: Raw = NULL
    parameters: Raw = NULL
    format: Raw = NULL
    tools: list["_Tool"] = []
    execution: str | None = None

    @property
    def is_client_search(self) -> bool:
        """Whether it is a search among deferred tools that the client runs."""
        return self.type == TOOL_SEARCH and self.execution == "client"


class _Format(msgspec.Struct):
    type: str = "text"
    syntax: str = ""
    definition: str = ""


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    namespace: str | None = None
    mode: str | None = None
    tools: list["_Choice"] = []


_decode_tools: Final = tolerant(msgspec.json.Decoder(list[_Tool] | None).decode)
_decode_format: Final = tolerant(msgspec.json.Decoder(_Format | None).decode)
_decode_text: Final = tolerant(msgspec.json.Decoder(str | None).decode)
_decode_choice: Final = tolerant(msgspec.json.Decoder(str | _Choice | None).decode)
_MODES: Final = {"auto": b'"AUTO"', "required": b'"ANY"', "none": b'"NONE"'}
_ALLOWED_MODES: Final = {"auto": b'"VALIDATED"', "required": b'"ANY"'}


def tools_of(members: Mapping[str, bytes], found: Sequence[bytes] = (), *, may_drop: bool) -> Tools:
    """Return the tools of a turn. Raises `InvalidRequest` for one that Gemini has not.

    Lists of tools that were `found` in the conversation stand behind the others. A search of the
    web is left out beside functions: Gemini refuses both in one request.
    """
    lists = (members.get("tools", _NULL), *found)
    tools = [tool for raw in lists for tool in decoded(_decode_tools, raw, "tools") or ()]
    declared: dict[str, Declared] = {}
    written: list[bytes] = []
    dropped: list[str] = []
    for tool, namespace in _flat(tools):
        if tool.type in _SEARCHES:
            continue
        declaration = _declaration(tool)
        if declaration is None:
            dropped.append(_unknown(tool, may_drop=may_drop))
            continue
        own = Declared(tool.type, tool.name or tool.type, namespace)
        name = sent_name(own.name, namespace)
        if name not in declared:
            declared[name] = own
            written.append(b'{"name":%b%b}' % (_encode(name), declaration))
    has_search = any(tool.type in _SEARCHES for tool in tools)
    if written:
        dropped += ["tools.web_search"] * has_search
        raw = b'[{"functionDeclarations":[%b]}]' % b",".join(written)
    else:
        raw = b'[{"googleSearch":{}}]' if has_search else b""
    return Tools(raw, declared, tuple(dropped))


def _flat(tools: Iterable[_Tool]) -> Iterator[tuple[_Tool, str]]:
    """Give each tool with the namespace that it stands in."""
    for tool in tools:
        if tool.type == "namespace":
            for inner in tool.tools:
                yield inner, tool.name or ""
        else:
            yield tool, ""


def _declaration(tool: _Tool) -> bytes | None:
    """Return what is declared behind the name of a tool; None where Gemini has no such tool."""
    if tool.type in CLIENT_TOOLS:
        own = CLIENT_TOOLS[tool.type]
        description, schema = own.description, own.schema
    elif (tool.type == _FUNCTION and tool.name) or tool.is_client_search:
        description, schema = bytes(tool.description), bytes(tool.parameters)
    elif tool.type == "custom" and tool.name:
        description, schema = _described(tool), _INPUT
    else:
        return None
    said = b"" if description == _NULL else b',"description":' + description
    return said if schema in (_NULL, b"{}") else said + b',"parametersJsonSchema":' + schema


def _described(tool: _Tool) -> bytes:
    """Say of a tool that takes a text what that text must be."""
    text = decoded(_decode_text, tool.description, "tools.description") or ""
    grammar = decoded(_decode_format, tool.format, "tools.format") or _Format()
    if grammar.definition:
        rule = f"The 'input' must follow this {grammar.syntax} grammar:\n{grammar.definition}"
        text = f"{text}\n\n{rule}" if text else rule
    return _encode(text)


def _unknown(tool: _Tool, *, may_drop: bool) -> str:
    if not may_drop:
        fault = (
            f"has '{tool.type[:60]}', which Gemini has no equivalent for; leave the tool out, "
            "or set the channel's 'unsupported' to 'drop'"
        )
        raise invalid("tools", fault)
    return f"tools.{tool.type}"


def tool_config(members: Mapping[str, bytes], tools: Tools) -> bytes:
    """Return `toolConfig` as raw JSON, b"" where the model decides. Raises `InvalidRequest`."""
    raw = members.get("tool_choice", _NULL)
    choice = decoded(_decode_choice, raw, "tool_choice")
    if choice is None or choice == "auto" or not tools.declared:
        return b""
    if isinstance(choice, str):
        mode, names = _MODES.get(choice), []
    elif choice.type == "allowed_tools":
        mode, names = _ALLOWED_MODES.get(choice.mode or "auto"), _names(choice.tools)
    else:
        mode, names = b'"ANY"', _names([choice])
    if mode is None:
        raise invalid("tool_choice", "must be auto, required, none, or name a tool")
    missing = next((name for name in names if name not in tools.declared), None)
    if missing is not None:
        raise invalid("tool_choice", f"names '{missing[:80]}', which is not among the 'tools'")
    allowed = b',"allowedFunctionNames":%b' % _encode(names) if names else b""
    return b'{"functionCallingConfig":{"mode":%b%b}}' % (mode, allowed)


def _names(choices: list[_Choice]) -> list[str]:
    return [sent_name(each.name or each.type, each.namespace or "") for each in choices]
