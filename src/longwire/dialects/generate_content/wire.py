"""Contents as the wire has them: what is read of each, in either spelling of its members.

The API takes JSON as protocol buffers do: `inlineData` and `inline_data` are the same.
"""

import re
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.chat_completions.wire import ABSENT, Reading
from longwire.dialects.fields import invalid
from longwire.dialects.raw_json import NULL, split_items, split_members
from longwire.dialects.repeats import Names

_SNAKE: Final = re.compile("_+([a-z0-9])")


class Blob(msgspec.Struct, rename="camel"):
    """Data that a part brings along, in base64."""

    mime_type: str = ""
    data: Raw = ABSENT
    display_name: Raw = NULL


class RemoteFile(msgspec.Struct, rename="camel"):
    """Where a file is."""

    mime_type: str = ""
    file_uri: str = ""
    display_name: Raw = NULL


class FunctionCall(msgspec.Struct, rename="camel"):
    """A call of a function."""

    id: str | None = None
    name: str = ""
    args: Raw = NULL


class MediaPart(msgspec.Struct, rename="camel"):
    """One part of what a function returned beside its response."""

    inline_data: Blob | None = None
    file_data: RemoteFile | None = None


class FunctionResponse(msgspec.Struct, rename="camel"):
    """What a function returned."""

    id: str | None = None
    name: str = ""
    response: Raw = NULL
    parts: list[MediaPart] | None = None


class Part(msgspec.Struct, rename="camel"):
    """One part of a content, of whatever kind; the last ones only say more of it."""

    text: Raw = ABSENT
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    inline_data: Blob | None = None
    file_data: RemoteFile | None = None
    executable_code: Raw = NULL
    code_execution_result: Raw = NULL
    tool_call: Raw = NULL
    tool_response: Raw = NULL


class Content(msgspec.Struct):
    """What one side said."""

    role: str | None = None
    parts: Raw = NULL


OF_SERVERS: Final = ("executable_code", "code_execution_result", "tool_call", "tool_response")
"""Parts of tools that run on Google's servers."""


def has_text(part: Part) -> bool:
    """Whether a part is a text; some clients write null where they have none."""
    return bytes(part.text) not in (b"", b"null")


def camel(name: str) -> str:
    """Return the name of a member as the API's documents write it."""
    if "_" not in name:
        return name
    return _SNAKE.sub(lambda found: found[1].upper(), name.strip("_"))


def camelled(raw: bytes, names: Names) -> bytes:
    """Return a value whose members of these names are spelled as the documents write them.

    Raises `InvalidRequest` for a member that is there in both spellings.
    """
    if raw[:1] == b"[":
        return b"[%b]" % b",".join(camelled(bytes(item), names) for item in split_items(raw))
    if raw[:1] != b"{" or not names:
        return raw
    members: dict[str, Raw] = {}
    for name, value in split_members(raw).items():
        own = camel(name)
        own = own if own in names else name
        if own in members:
            raise invalid(name, f"is there as '{own}', too; send it once")
        members[own] = Raw(camelled(bytes(value), names.get(own) or {}))
    return msgspec.json.encode(members)


def listed(raw: bytes) -> bytes:
    """Return an array; a lone object is an array of it, as the API itself takes it."""
    return b"[%b]" % raw if raw[:1] == b"{" else raw


CONTENTS: Final = Reading(list[Content], "contents", camelled)
PARTS: Final = Reading(list[Part], "contents.parts", camelled)
