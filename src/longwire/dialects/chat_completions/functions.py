"""Tools of the Responses API as functions, which all vendors of Chat Completions know.

A custom tool is a function with one text; a tool that the client runs is one whose arguments are
what its call says. Names of a namespace are joined with it. `Function` leads back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from longwire.dialects.chat_completions.chunks import decode_any, decode_text
from longwire.dialects.chat_completions.inlined import inlined
from longwire.dialects.chat_completions.losses import Losses
from longwire.dialects.chat_completions.writer import ResponseWriter
from longwire.dialects.fields import decoded, invalid, text
from longwire.dialects.names import LONGEST, shortened
from longwire.dialects.profiles.profile import Profile
from longwire.dialects.raw_json import NULL, merge, split_members
from longwire.dialects.schemas import NO_PARAMETERS, with_required

FUNCTION, CUSTOM = "function", "custom"
_NULL: Final = bytes(NULL)
_INPUT: Final = (
    b'{"type":"object","properties":{"input":{"type":"string","description":'
    b'"The whole input, as it is."}},"required":["input"],"additionalProperties":false}'
)
_CUSTOM_STEM: Final = "response.custom_tool_call_input"


class Native(NamedTuple):
    """A tool that the client runs: the `member` of its calls is what the function's arguments are.

    `constant` are members of that which the model need not say; `beside` are members of the call.
    """

    member: str
    description: str
    schema: bytes
    constant: Mapping[str, bytes] = {}
    beside: bytes = b""


NATIVE: Final[Mapping[str, Native]] = {
    "local_shell": Native(
        "action",
        "Runs a command in the user's shell and returns its output.",
        b'{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"}},'
        b'"working_directory":{"type":"string"},"timeout_ms":{"type":"integer"},'
        b'"env":{"type":"object","additionalProperties":{"type":"string"}}},'
        b'"required":["command"]}',
        {"type": b'"exec"', "env": b"{}"},
    ),
    "shell": Native(
        "action",
        "Runs commands in the user's shell and returns the output of each.",
        b'{"type":"object","properties":{"commands":{"type":"array","items":{"type":"string"}},'
        b'"timeout_ms":{"type":"integer"},"max_output_length":{"type":"integer"}},'
        b'"required":["commands"]}',
        {"timeout_ms": _NULL, "max_output_length": _NULL},
    ),
    "apply_patch": Native(
        "operation",
        "Creates, updates or deletes one file. The diff is in the V4A format; deleting needs none.",
        b'{"type":"object","properties":{"type":{"type":"string","enum":["create_file",'
        b'"update_file","delete_file"]},"path":{"type":"string"},"diff":{"type":"string"}},'
        b'"required":["type","path"]}',
    ),
    "tool_search": Native(
        "arguments",
        "Searches for tools, which can be called from then on.",
        b'{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}',
        beside=b',"execution":"client"',
    ),
}
"""Tools of the API that their client runs, by type; their calls are `<type>_call`."""


class Function(NamedTuple):
    """What a function is to the client: its kind, and name and namespace as raw JSON."""

    kind: str
    name: bytes
    namespace: bytes = b""


class _Tool(msgspec.Struct):
    type: str
    name: Raw = Raw(b"")
    description: Raw = NULL
    parameters: Raw = NULL
    strict: Raw = NULL
    format: Raw = NULL
    tools: Raw = NULL
    execution: str | None = None

    @property
    def is_native(self) -> bool:
        """Whether its client runs it; a search of tools may also be run by OpenAI."""
        return self.type in NATIVE and (self.type != "tool_search" or self.execution == "client")


_decode_tools: Final = msgspec.json.Decoder(list[_Tool]).decode


@dataclass(slots=True)
class Functions:
    """The functions of a request as raw JSON by their names there, and what they are called for.

    `renamed` has those that are something else to the client.
    """

    by_name: dict[str, bytes] = field(default_factory=dict)
    renamed: dict[str, Function] = field(default_factory=dict)


def wire_name(name: bytes, namespace: bytes = b"") -> bytes:
    """Return the name that a function has upstream; all names are raw JSON."""
    is_spaced = namespace[:1] == b'"'
    if not is_spaced and len(name) <= LONGEST:
        return name
    own = decode_text(name)
    if is_spaced:
        own = f"{decode_text(namespace)}__{own}"
    return msgspec.json.encode(shortened(own))


def add_functions(found: Functions, raw: bytes, at: str, profile: Profile, losses: Losses) -> None:
    """Add the tools that stand at a path as functions. Raises `InvalidRequest`, naming the field.

    And `Unsayable` for those that have no equivalent.
    """
    for path, tool, namespace in _flat(raw, at):
        if tool.type == FUNCTION:
            if bytes(tool.strict) == b"true" and not profile.takes_strict:
                losses.drop("tools.strict")
            function, said = _function(tool, path, namespace, profile)
        elif tool.type == CUSTOM:
            function, said = _custom(tool, path, namespace)
        elif tool.is_native:
            function, said = _native(tool, path)
        else:
            fault = f"is {tool.type}, which only upstreams of the Responses API run"
            losses.refuse(f"{path}.type", f"tools.{tool.type}", fault)
            continue
        name = wire_name(function.name, function.namespace)
        key = decode_text(name)
        found.by_name.setdefault(
            key, b'{"type":"function","function":{"name":%b%b}}' % (name, said)
        )
        if function.kind != FUNCTION or name != function.name:
            found.renamed.setdefault(key, function)


def _flat(raw: bytes, path: str, namespace: bytes = b"") -> Iterator[tuple[str, _Tool, bytes]]:
    """Give each tool with where it stands, those in namespaces with their namespace."""
    for at, tool in enumerate(decoded(_decode_tools, raw, path)):
        inner = f"{path}.{at}"
        if tool.type == "namespace" and not namespace:
            yield from _flat(bytes(tool.tools), f"{inner}.tools", text(tool.name, inner, "name"))
        else:
            yield inner, tool, namespace


def _function(tool: _Tool, path: str, namespace: bytes, profile: Profile) -> tuple[Function, bytes]:
    parameters = bytes(tool.parameters)
    if parameters == _NULL:
        parameters = NO_PARAMETERS
    elif parameters[:1] != b"{":
        raise invalid(f"{path}.parameters", "must be a JSON schema, an object")
    parameters = with_required(parameters)
    if profile.inlines_refs:
        parameters = inlined(parameters)
    said = _described(tool, path) + b',"parameters":' + parameters
    if profile.takes_strict and bytes(tool.strict) == b"true":
        said += b',"strict":true'
    return Function(FUNCTION, text(tool.name, path, "name"), namespace), said


def _described(tool: _Tool, path: str) -> bytes:
    if bytes(tool.description) == _NULL:
        return b""
    return b',"description":' + text(tool.description, path, "description")


def _custom(tool: _Tool, path: str, namespace: bytes) -> tuple[Function, bytes]:
    """Return a custom tool; the grammar of its input stands in its description."""
    said = decode_text(tool.description) if bytes(tool.description) != _NULL else ""
    style = decode_any(tool.format)
    if isinstance(style, dict) and style.get("type") == "grammar":
        syntax, definition = style.get("syntax"), style.get("definition")
        said += f"\n\nThe input keeps this grammar ({syntax}):\n{definition}"
    described = b',"description":' + msgspec.json.encode(said.strip()) if said else b""
    function = Function(CUSTOM, text(tool.name, path, "name"), namespace)
    return function, described + b',"parameters":' + _INPUT


def _native(tool: _Tool, path: str) -> tuple[Function, bytes]:
    native, parameters = NATIVE[tool.type], bytes(tool.parameters)
    described = _described(tool, path) or b',"description":' + msgspec.json.encode(
        native.description
    )
    schema = parameters if parameters[:1] == b"{" else native.schema
    function = Function(tool.type, msgspec.json.encode(tool.type))
    return function, described + b',"parameters":' + schema


def input_as_arguments(raw: bytes) -> bytes:
    """Return the input of a custom tool as the arguments of its function; both are raw JSON."""
    return msgspec.json.encode((b'{"input":%b}' % raw).decode())


def write_call(
    writer: ResponseWriter, function: Function, call_id: bytes, arguments: bytes, status: bytes
) -> None:
    """Write a call of a function as what it is to the client; its arguments are a raw JSON text."""
    said = b'"call_id":' + call_id
    if function.kind in NATIVE:
        native = NATIVE[function.kind]
        members = _members_in(arguments)
        if members is not None:
            missing = {key: raw for key, raw in native.constant.items() if key not in members}
            value = b'"%b":%b' % (native.member.encode(), merge(members, missing))
            item = writer.begin(f"{function.kind}_call", said + native.beside, value)
            writer.end(item, value, status)
            return
    said += b',"name":' + function.name
    if function.namespace:
        said += b',"namespace":' + function.namespace
    item = writer.begin("custom_tool_call", said, b'"input":""')
    writer.add(item, _CUSTOM_STEM, _input_in(arguments))
    writer.end_call(item, _CUSTOM_STEM, b"input", status)


def _members_in(arguments: bytes) -> dict[str, Raw] | None:
    try:
        return split_members(decode_text(arguments).encode())
    except (msgspec.MsgspecError, RecursionError):
        return None


def _input_in(arguments: bytes) -> bytes:
    """Return the input of a custom tool in arguments; a model that wraps nothing says it bare."""
    members = _members_in(arguments)
    if members is None:
        return arguments
    values = [bytes(members[name]) for name in ("input", *members) if name in members]
    return next((raw for raw in values if raw[:1] == b'"'), arguments)
