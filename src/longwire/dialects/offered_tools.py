"""The tools that a request offers, and which of them it wants called, for other APIs.

Law: a tool that only another upstream runs is left out and named, since the model may do without
it: agents always offer some. It is refused only where the choice of tools insists on it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from longwire.dialects.client_tools import (
    CLIENT_TOOLS,
    CUSTOM,
    FUNCTION,
    INPUT_SCHEMA,
    NAMESPACE,
    TOOL_SEARCH,
    Declared,
)
from longwire.dialects.fields import decoded, invalid, text
from longwire.dialects.losses import Losses
from longwire.dialects.raw_json import NULL, tolerant

WEB_SEARCH: Final = "web_search"
_MODES: Final = ("auto", "required", "none")
_NAMED: Final = (FUNCTION, CUSTOM)
_encode: Final = msgspec.json.Encoder().encode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


class _Format(msgspec.Struct, gc=False):
    type: str = "text"
    syntax: str = ""
    definition: str = ""


class Tool(msgspec.Struct, gc=False):
    """What is read of a tool."""

    type: str = FUNCTION
    name: str | None = None
    description: Raw = NULL
    parameters: Raw = NULL
    strict: bool | None = None
    format: _Format | None = None
    tools: Sequence["Tool"] | None = None
    execution: str | None = None
    filters: Raw = NULL
    user_location: Raw = NULL

    @property
    def is_search(self) -> bool:
        """Whether it searches the web."""
        return self.type.startswith(WEB_SEARCH)

    @property
    def is_clients(self) -> bool:
        """Whether the client runs it; a search of tools may also be run by an upstream."""
        if self.type == TOOL_SEARCH:
            return self.execution == "client"
        return self.type in CLIENT_TOOLS or self.type in _NAMED


class Offered(NamedTuple):
    """One tool, where it stands, and what it is to the client."""

    tool: Tool
    path: str
    declared: Declared

    @property
    def description(self) -> bytes:
        """What it does as a raw JSON text, b"" for nothing. Raises `InvalidRequest`."""
        tool, raw = self.tool, bytes(self.tool.description)
        own = b"" if raw == b"null" else text(raw, self.path, "description")
        if tool.type == CUSTOM:
            return _with_grammar(own, tool.format)
        if not own and tool.type in CLIENT_TOOLS:
            return _encode(CLIENT_TOOLS[tool.type].description)
        return own

    @property
    def schema(self) -> bytes:
        """The schema of its arguments, b"" where it says none. Raises `InvalidRequest`."""
        tool, raw = self.tool, bytes(self.tool.parameters)
        if tool.type == CUSTOM:
            return INPUT_SCHEMA
        if raw[:1] == b"{":
            return raw
        if tool.type in CLIENT_TOOLS:
            return CLIENT_TOOLS[tool.type].schema
        if raw != b"null":
            raise invalid(f"{self.path}.parameters", "must be a JSON schema, an object")
        return b""


def _with_grammar(description: bytes, style: _Format | None) -> bytes:
    """Return a description with the grammar of an input, which no schema can say."""
    if style is None or not style.definition:
        return description
    rule = f"The input keeps this grammar ({style.syntax}):\n{style.definition}"
    words = _decode_text(description) if description else ""
    return _encode(f"{words}\n\n{rule}" if words else rule)


_decode_tools: Final = tolerant(msgspec.json.Decoder(list[Tool] | None).decode)


def offered(raw: bytes | Raw, path: str) -> Iterator[Offered]:
    """Give the tools that stand at a path, those of a namespace, too. Raises `InvalidRequest`."""
    for number, tool in enumerate(decoded(_decode_tools, raw, path) or ()):
        at = f"{path}.{number}"
        if tool.type != NAMESPACE:
            yield _offered(tool, at, "")
            continue
        for inner, each in enumerate(tool.tools or ()):
            yield _offered(each, f"{at}.tools.{inner}", tool.name or "")


def _offered(tool: Tool, path: str, namespace: str) -> Offered:
    if tool.type in _NAMED and not tool.name:
        raise invalid(f"{path}.name", "is required")
    is_named = tool.type in _NAMED
    name = tool.name if is_named and tool.name else tool.type
    return Offered(tool, path, Declared(tool.type, name, namespace if is_named else ""))


def leave_out(tool: Tool, losses: Losses) -> None:
    """Leave out a tool that an upstream has no equivalent for."""
    losses.drop(f"tools.{tool.type[:40]}")


class _Choice(msgspec.Struct):
    type: str = ""
    name: str | None = None
    namespace: str | None = None
    mode: str | None = None
    tools: Sequence["_Choice"] | None = None


_decode_choice: Final = tolerant(msgspec.json.Decoder(str | _Choice | None).decode)


class Chosen(NamedTuple):
    """Which tools are to be called: the mode is auto, required or none.

    `names` are those that may be, by their names upstream; None for all. It `is_one` tool that
    was named, or some that are allowed.
    """

    mode: str = "auto"
    names: tuple[str, ...] | None = None
    is_one: bool = False


ANY: Final = Chosen()


def chosen_of(
    raw: bytes | None,
    names: Collection[str],
    sent_name: Callable[[str, str], str],
    losses: Losses,
) -> Chosen:
    """Return the choice among tools that have these names upstream. Raises `InvalidRequest`.

    And `Unsayable` where none of those is left that must be called.
    """
    choice = decoded(_decode_choice, raw, "tool_choice") if raw is not None else None
    if choice is None:
        return ANY
    if isinstance(choice, str):
        chosen = Chosen(choice)
    else:
        is_one = choice.type != "allowed_tools"
        found = [_name(each, names, sent_name) for each in _choices(choice)]
        mode = "required" if is_one else choice.mode or "auto"
        chosen = Chosen(mode, (*filter(None, found),), is_one)
    if chosen.mode not in _MODES:
        raise invalid("tool_choice", "must be auto, required, none, or name a tool")
    left = names if chosen.names is None else chosen.names
    if chosen.mode == "required" and not left:
        wanted = "required" if isinstance(choice, str) else choice.type[:40]
        fault = f"is {wanted}, and no tool is left that this upstream has an equivalent for"
        losses.refuse("tool_choice", fault)
        return ANY
    return chosen


def _choices(choice: _Choice) -> Sequence[_Choice]:
    return (choice.tools or ()) if choice.type == "allowed_tools" else (choice,)


def _name(choice: _Choice, names: Collection[str], sent_name: Callable[[str, str], str]) -> str:
    """Return the name upstream of what is chosen, "" for a tool that was left out."""
    if choice.type not in _NAMED:
        kind = WEB_SEARCH if choice.type.startswith(WEB_SEARCH) else choice.type
        return kind if kind in names else ""
    name = sent_name(choice.name or "", choice.namespace or "")
    if name not in names:
        raise invalid("tool_choice", f"names '{name[:80]}', which is not among the 'tools'")
    return name
