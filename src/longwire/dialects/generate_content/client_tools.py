"""Tools that the client runs and the Responses API describes by their type alone.

Each is a function by the name of its type; what its calls hold in one member are the arguments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.raw_json import NULL, merge, split_members

_encode: Final = msgspec.json.Encoder().encode
_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_NUMBER: Final = {"type": "integer"}


def schema_of(required: Sequence[str], **properties: object) -> bytes:
    """Return the schema of an object."""
    return _encode({"type": "object", "properties": properties, "required": required})


@dataclass(frozen=True, slots=True)
class ClientTool:
    """One of these tools: its calls hold the arguments in `member`, with some that never change."""

    member: str
    description: bytes
    schema: bytes
    constants: Mapping[str, bytes] = field(default_factory=dict)

    def arguments_of(self, call: Raw) -> bytes:
        """Return what a function is called with, from what such a call holds."""
        raw = bytes(call)
        if raw[:1] != b"{":
            return b"{}"
        members = split_members(raw)
        same = [
            name
            for name, value in self.constants.items()
            if bytes(members.get(name, NULL)) == value
        ]
        return merge(members, dict.fromkeys(same)) if same else raw

    def call_of(self, arguments: bytes) -> bytes:
        """Return what such a call holds, from what the function is called with."""
        if not self.constants:
            return arguments
        members = split_members(arguments)
        return merge(
            members, {name: raw for name, raw in self.constants.items() if name not in members}
        )


CLIENT_TOOLS: Final[Mapping[str, ClientTool]] = {
    "local_shell": ClientTool(
        "action",
        b'"Runs a command in a shell on the user\'s machine."',
        schema_of(["command"], command=_TEXTS, working_directory=_TEXT, timeout_ms=_NUMBER),
        {"type": b'"exec"', "env": b"{}"},
    ),
    "shell": ClientTool(
        "action",
        b'"Runs commands in a shell."',
        schema_of(["commands"], commands=_TEXTS, timeout_ms=_NUMBER, max_output_length=_NUMBER),
    ),
    "apply_patch": ClientTool(
        "operation",
        b'"Creates, updates or deletes a file; the diff is in V4A form."',
        schema_of(
            ["type", "path"],
            type={"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
            path=_TEXT,
            diff=_TEXT,
        ),
    ),
}
TOOL_SEARCH: Final = "tool_search"
"""A search among deferred tools; where its client runs it, what it found is declared, too."""

BY_CALL: Final = {f"{kind}_call": kind for kind in CLIENT_TOOLS}
"""The types of these tools by those of their calls."""
