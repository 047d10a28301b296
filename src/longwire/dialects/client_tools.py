"""Tools that the client runs, as functions: other APIs than Responses know no others.

A custom tool is a function with one text. A tool that is known by its type alone is a function by
the name of its type, and its arguments are what its calls hold in one member. `Declared` is the way
back: what a function's name upstream is to the client.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from longwire.dialects.raw_json import NULL, merge, split_members, tolerant

FUNCTION, CUSTOM, NAMESPACE, TOOL_SEARCH = "function", "custom", "namespace", "tool_search"
INPUT_SCHEMA: Final = (
    b'{"type":"object","properties":{"input":{"type":"string","description":'
    b'"The whole input, as it is."}},"required":["input"],"additionalProperties":false}'
)
"""What the function of a custom tool takes."""

_NULL: Final = bytes(NULL)
_ITEMS: Final = {FUNCTION: "function_call", CUSTOM: "custom_tool_call"}
_encode: Final = msgspec.json.Encoder().encode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


class ClientTool(NamedTuple):
    """A tool that is known by its type: the `member` of its calls is what the arguments are.

    `constants` are members of that which the model need not say, `beside` is in every call.
    """

    member: str
    description: str
    schema: bytes
    constants: Mapping[str, bytes] = {}
    beside: bytes = b""

    def arguments_of(self, held: bytes | Raw) -> bytes:
        """Return what the function is called with, from what a call holds, without constants."""
        raw = bytes(held)
        if raw[:1] != b"{":
            return b"{}"
        if not self.constants:
            return raw
        members = split_members(raw)
        same = [
            name
            for name, value in self.constants.items()
            if name in members and bytes(members[name]) == value
        ]
        return merge(members, dict.fromkeys(same)) if same else raw

    def held_by(self, arguments: bytes) -> bytes:
        """Return what a call holds. Raises `msgspec.MsgspecError` for what is no object."""
        members = split_members(arguments)
        missing = {name: raw for name, raw in self.constants.items() if name not in members}
        return merge(members, missing) if missing else arguments


CLIENT_TOOLS: Final[Mapping[str, ClientTool]] = {
    "local_shell": ClientTool(
        "action",
        "Runs a command in the user's shell and returns its output.",
        b'{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"}},'
        b'"working_directory":{"type":"string"},"timeout_ms":{"type":"integer"},'
        b'"env":{"type":"object","additionalProperties":{"type":"string"}}},'
        b'"required":["command"]}',
        {"type": b'"exec"', "env": b"{}"},
    ),
    "shell": ClientTool(
        "action",
        "Runs commands in the user's shell and returns the output of each.",
        b'{"type":"object","properties":{"commands":{"type":"array","items":{"type":"string"}},'
        b'"timeout_ms":{"type":"integer"},"max_output_length":{"type":"integer"}},'
        b'"required":["commands"]}',
        {"timeout_ms": _NULL, "max_output_length": _NULL},
    ),
    "apply_patch": ClientTool(
        "operation",
        "Creates, updates or deletes one file. The diff is in the V4A format; deleting needs none.",
        b'{"type":"object","properties":{"type":{"type":"string","enum":["create_file",'
        b'"update_file","delete_file"]},"path":{"type":"string"},"diff":{"type":"string"}},'
        b'"required":["type","path"]}',
    ),
    TOOL_SEARCH: ClientTool(
        "arguments",
        "Searches for tools, which can be called from then on.",
        b'{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}',
        beside=b',"execution":"client"',
    ),
}
"""Tools that are known by their types."""

BY_CALL: Final = {f"{kind}_call": kind for kind in CLIENT_TOOLS}
"""Their types by those of their calls."""

FOUND: Final = "tool_search_output"
"""The item that brings the tools which a search has found."""

CALLS: Final = frozenset({*_ITEMS.values(), *BY_CALL})
OUTPUTS: Final = frozenset({*(f"{call}_output" for call in CALLS), FOUND})
_SEARCH_ITEMS: Final = frozenset({"tool_search_call", FOUND})
_TRACES: Final = frozenset(
    {
        "code_interpreter_call",
        "file_search_call",
        "image_generation_call",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "web_search_call",
    }
)


MAYBE_TRACES: Final = frozenset({*_TRACES, *_SEARCH_ITEMS})
"""The types of items of which some are traces: of all others nobody need ask."""


def is_trace(kind: str, *, has_call_id: bool) -> bool:
    """Whether an item is a trace of what another upstream ran: what came of it is in its texts."""
    return kind in _TRACES or (kind in _SEARCH_ITEMS and not has_call_id)


class Declared(NamedTuple):
    """What a function is to the client: the type of its own tool, its name and namespace."""

    kind: str
    name: str
    namespace: str = ""

    @property
    def item(self) -> str:
        """The type of its calls."""
        return _ITEMS.get(self.kind) or f"{self.kind}_call"

    def head(self, call_id: bytes) -> bytes:
        """Return the members that say what is called; the call's id is raw JSON."""
        said = b'"call_id":%b,"name":%b' % (call_id, _encode(self.name))
        return said + b',"namespace":' + _encode(self.namespace) if self.namespace else said


class Called(NamedTuple):
    """A call as an item: its type, its members, and its text, raw JSON; b"" where it has none."""

    item: str
    said: bytes
    text: bytes = b""


def called(tool: Declared, call_id: bytes, arguments: bytes) -> Called:
    """Return the call of a tool that is no function, whose arguments are a raw JSON text.

    Arguments that are no object are the input of a custom tool: its client says what is wrong.
    """
    if tool.kind in CLIENT_TOOLS:
        own = CLIENT_TOOLS[tool.kind]
        try:
            held = own.held_by(_decode_text(arguments).encode())
        except (msgspec.MsgspecError, RecursionError):
            held = b""
        if held:
            said = b'"call_id":%b%b,"%b":%b' % (call_id, own.beside, own.member.encode(), held)
            return Called(tool.item, said)
    return Called(_ITEMS[CUSTOM], tool.head(call_id), _input_in(arguments))


def _input_in(arguments: bytes) -> bytes:
    """Return the input of a custom tool, however a model wraps it, or else all that it said."""
    try:
        members = split_members(_decode_text(arguments).encode())
    except (msgspec.MsgspecError, RecursionError):
        return arguments
    alone = next(iter(members.values())) if len(members) == 1 else NULL
    raw = bytes(members.get("input", alone))
    return raw if raw[:1] == b'"' else arguments


def input_object(text: bytes | Raw) -> bytes:
    """Return the arguments that the input of a custom tool is, which is a raw JSON text."""
    raw = bytes(text)
    return b'{"input":%b}' % (raw if raw[:1] == b'"' else b'""')
