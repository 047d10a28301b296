"""Tools and what is chosen among them, flattened as the Responses API has them."""

from collections.abc import Mapping

import msgspec
from msgspec import Raw

from longwire.core.errors import CallerError
from longwire.dialects.chat_completions.names import short_name
from longwire.dialects.chat_completions.wire import ABSENT, Reading
from longwire.dialects.fields import NoEquivalent, decoded, invalid, no_equivalent, text
from longwire.dialects.raw_json import NULL
from longwire.dialects.repeats import compact
from longwire.dialects.schemas import NO_PARAMETERS, with_required

_NULL = bytes(NULL)


class _Function(msgspec.Struct):
    name: Raw = ABSENT
    description: Raw = NULL
    parameters: Raw = NULL
    strict: Raw = NULL


class _Custom(msgspec.Struct):
    name: Raw = ABSENT
    description: Raw = NULL
    format: Raw = NULL


class _Tool(msgspec.Struct):
    type: str
    function: _Function | None = None
    custom: _Custom | None = None


class _Grammar(msgspec.Struct):
    definition: Raw = NULL
    syntax: Raw = NULL


class _Format(msgspec.Struct):
    type: str
    grammar: _Grammar | None = None


class _Named(msgspec.Struct):
    name: Raw = ABSENT


class _Chosen(msgspec.Struct):
    type: str
    function: _Named | None = None
    custom: _Named | None = None


class _Allowed(msgspec.Struct):
    mode: Raw
    tools: list[_Chosen]


class _Choice(msgspec.Struct):
    type: str
    function: _Named | None = None
    custom: _Named | None = None
    allowed_tools: _Allowed | None = None


class _Place(msgspec.Struct):
    approximate: Raw = NULL
    type: Raw = NULL


class _Search(msgspec.Struct):
    search_context_size: Raw = NULL
    user_location: _Place | None = None


_TOOLS, _FUNCTIONS = Reading(list[_Tool], "tools"), Reading(list[_Function], "functions")
_FORMAT = Reading(_Format, "tools.custom.format")
_CHOICE, _LEGACY_CHOICE = Reading(_Choice, "tool_choice"), Reading(_Named, "function_call")
_SEARCH = Reading(_Search, "web_search_options")
_decode_place = msgspec.json.Decoder(dict[str, Raw]).decode


def tools_of(
    members: Mapping[str, bytes],
    originals: dict[str, str],
    dropped: set[str],
    refusals: list[CallerError],
) -> dict[str, bytes]:
    """Return `tools` and `tool_choice` of a request, where it has any.

    Tools of its own vendor's are `dropped` by name, with their `refusals`. Raises `InvalidRequest`,
    which names the field.
    """
    if "tools" in members and "functions" in members:
        raise invalid("functions", "cannot be sent beside 'tools'; send all of them as tools")
    tools: list[bytes] = []
    if "tools" in members:
        raw = members["tools"]
        for at, tool in enumerate(_TOOLS.decode(compact(raw), "tools", dropped)):
            try:
                tools.append(_flat(tool, f"tools.{at}", originals, dropped))
            except NoEquivalent as error:
                refusals.append(error)
                dropped.add(f"tools.{tool.type[:40]}")
    if "functions" in members:
        for at, function in enumerate(
            _FUNCTIONS.decode(compact(members["functions"]), "functions", dropped)
        ):
            tools.append(_flat_function(function, f"functions.{at}", originals))
    if "web_search_options" in members:
        tools.append(_search(members["web_search_options"], dropped))
    choice = _choice(members, originals, dropped)
    hub = {"tools": b"[%b]" % b",".join(tools)} if tools else {}
    return hub if choice is None else {**hub, "tool_choice": choice}


def _flat(tool: _Tool, path: str, originals: dict[str, str], dropped: set[str]) -> bytes:
    if tool.type == "function" and tool.function is not None:
        return _flat_function(tool.function, f"{path}.function", originals)
    if tool.type == "custom" and tool.custom is not None:
        return _flat_custom(tool.custom, f"{path}.custom", originals, dropped)
    if tool.type in ("function", "custom"):
        raise invalid(f"{path}.{tool.type}", "is required")
    fault = f"is '{tool.type[:40]}', which its own vendor runs; offer a function or a custom tool"
    raise no_equivalent(f"{path}.type", fault)


def _flat_function(function: _Function, path: str, originals: dict[str, str]) -> bytes:
    """Flatten a function. Without `strict` the Responses API would try to be strict."""
    name = short_name(text(function.name, f"{path}.name"), originals)
    said = b'{"type":"function","name":' + name
    if bytes(function.description) != _NULL:
        said += b',"description":' + text(function.description, f"{path}.description")
    parameters = bytes(function.parameters)
    if parameters == _NULL:
        parameters = NO_PARAMETERS
    elif parameters[:1] != b"{":
        raise invalid(f"{path}.parameters", "must be a JSON schema, an object")
    strict = bytes(function.strict)
    strict = b"false" if strict == _NULL else strict
    return said + b',"parameters":%b,"strict":%b}' % (with_required(parameters), strict)


def _flat_custom(custom: _Custom, path: str, originals: dict[str, str], dropped: set[str]) -> bytes:
    name = short_name(text(custom.name, f"{path}.name"), originals)
    said = b'{"type":"custom","name":' + name
    if bytes(custom.description) != _NULL:
        said += b',"description":' + text(custom.description, f"{path}.description")
    if bytes(custom.format) != _NULL:
        said += b',"format":' + _flat_format(bytes(custom.format), f"{path}.format", dropped)
    return said + b"}"


def _flat_format(raw: bytes, path: str, dropped: set[str]) -> bytes:
    """Flatten a grammar; others are the same in both APIs, whatever is in them."""
    unread: set[str] = set()
    style = _FORMAT.decode(raw, path, unread)
    if style.type != "grammar" or style.grammar is None:
        return raw
    dropped |= unread
    grammar = style.grammar
    definition = text(grammar.definition, f"{path}.grammar.definition")
    syntax = text(grammar.syntax, f"{path}.grammar.syntax")
    return b'{"type":"grammar","definition":%b,"syntax":%b}' % (definition, syntax)


def _search(raw: bytes, dropped: set[str]) -> bytes:
    search = _SEARCH.decode(raw, "web_search_options", dropped)
    said = b'{"type":"web_search"'
    if bytes(search.search_context_size) != _NULL:
        said += b',"search_context_size":' + bytes(search.search_context_size)
    if search.user_location is not None and bytes(search.user_location.approximate) != _NULL:
        path = "web_search_options.user_location.approximate"
        place = decoded(_decode_place, search.user_location.approximate, path)
        place["type"] = Raw(b'"approximate"')
        said += b',"user_location":' + msgspec.json.encode(place, order="sorted")
    return said + b"}"


def _choice(
    members: Mapping[str, bytes], originals: dict[str, str], dropped: set[str]
) -> bytes | None:
    raw = members.get("tool_choice")
    if raw is not None:
        return raw if raw[:1] == b'"' else _flat_choice(raw, originals, dropped)
    raw = members.get("function_call")
    if raw is None or raw[:1] == b'"':
        return raw
    function = _LEGACY_CHOICE.decode(raw, "function_call", dropped)
    return _named(b"function", function.name, "function_call.name", originals)


def _flat_choice(raw: bytes, originals: dict[str, str], dropped: set[str]) -> bytes:
    choice = _CHOICE.decode(raw, "tool_choice", dropped)
    if choice.allowed_tools is not None:
        allowed = choice.allowed_tools
        tools = [
            _chosen(tool, f"tool_choice.allowed_tools.tools.{at}", originals)
            for at, tool in enumerate(allowed.tools)
        ]
        listed = b",".join(tools)
        return b'{"type":"allowed_tools","mode":%b,"tools":[%b]}' % (allowed.mode, listed)
    return _chosen(choice, "tool_choice", originals)


def _chosen(choice: _Chosen | _Choice, path: str, originals: dict[str, str]) -> bytes:
    if choice.type == "function" and choice.function is not None:
        return _named(b"function", choice.function.name, f"{path}.function.name", originals)
    if choice.type == "custom" and choice.custom is not None:
        return _named(b"custom", choice.custom.name, f"{path}.custom.name", originals)
    raise invalid(path, "must name a function, a custom tool or allowed_tools")


def _named(kind: bytes, name: Raw, path: str, originals: dict[str, str]) -> bytes:
    return b'{"type":"%b","name":%b}' % (kind, short_name(text(name, path), originals))
