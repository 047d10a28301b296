"""The tools of a request: functions, a web search, and those that are deferred until found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects.fields import NoEquivalent, decoded, invalid, member, no_equivalent, text
from longwire.dialects.names import LONGEST, shortened
from longwire.dialects.raw_json import NULL
from longwire.dialects.repeats import check_repeats
from longwire.dialects.schemas import NO_PARAMETERS, with_required, without_dialect

_NOTHING: Final = (b"null", b"[]")
_LEFT_OUT: Final = ("max_uses", "blocked_domains", "input_examples")
_WEB_SEARCH: Final = "web_search_"
_SEARCH: Final = b'{"type":"web_search"}'


class _Location(msgspec.Struct, omit_defaults=True):
    type: str | None = None
    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class Tool(msgspec.Struct, omit_defaults=True):
    """What is read of one tool; the rest is for other APIs."""

    name: str = ""
    type: str | None = None
    description: Raw = NULL
    input_schema: Raw = NULL
    strict: bool | None = None
    defer_loading: bool | None = None
    allowed_domains: list[str] | None = None
    user_location: _Location | None = None
    max_uses: Raw = NULL
    blocked_domains: Raw = NULL
    input_examples: Raw = NULL
    cache_control: Raw = NULL
    eager_input_streaming: Raw = NULL


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of one request as raw JSON: `offered` in order, `deferred` by name.

    `originals` leads from a shortened name to the client's own. `searches` are the names of those
    that search the web. `left_out` are members of tools, and types, that have no equivalent; those
    which are `refused` by their names change the answer.
    """

    offered: tuple[bytes, ...] = ()
    deferred: Mapping[str, bytes] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict)
    searches: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()
    refused: Mapping[str, InvalidRequest] = field(default_factory=dict)


_decode_tools: Final = msgspec.json.Decoder(list[Tool] | None).decode
_decode_tool: Final = msgspec.json.Decoder(Tool).decode
_decode_choice: Final = msgspec.json.Decoder(_Choice | None).decode
_CHOICES: Final = {"auto": b'"auto"', "any": b'"required"', "none": b'"none"'}


def toolbox_of(members: Mapping[str, bytes]) -> Toolbox:
    """Return the tools of a request. Raises `InvalidRequest`, which names one that is wrong."""
    tools = member(members, "tools", _decode_tools) or ()
    if tools:
        check_repeats(members["tools"], tools, "tools")
    offered: list[bytes] = []
    deferred: dict[str, bytes] = {}
    originals: dict[str, str] = {}
    left_out: list[str] = []
    refused: dict[str, InvalidRequest] = {}
    for index, tool in enumerate(tools):
        try:
            raw = _translated(tool, f"tools.{index}")
        except NoEquivalent as error:
            refused.setdefault(tool.name, error)
            left_out.append((tool.type or "")[:40])
            continue
        if len(tool.name) > LONGEST:
            originals[shortened(tool.name)] = tool.name
        if tool.defer_loading:
            deferred[tool.name] = raw
        else:
            offered.append(raw)
        left_out += [name for name in _LEFT_OUT if bytes(getattr(tool, name)) not in _NOTHING]
    searches = frozenset(tool.name for tool in tools if _is_search(tool))
    return Toolbox(tuple(offered), deferred, originals, searches, tuple(left_out), refused)


def inline_tool(definition: Raw, at: str) -> bytes:
    """Return a tool that a message brings along. Raises `InvalidRequest`."""
    return _translated(decoded(_decode_tool, definition, at), at)


def _is_search(tool: Tool) -> bool:
    return tool.type is not None and tool.type.startswith(_WEB_SEARCH)


def _translated(tool: Tool, at: str) -> bytes:
    if _is_search(tool):
        return _web_search(tool)
    kind = tool.type or "custom"
    if kind != "custom":
        fault = (
            f"is '{kind[:40]}': the tool '{tool.name[:80]}' runs on Anthropic's servers or needs "
            "its models; offer it as a client tool with an 'input_schema', or leave it out"
        )
        raise no_equivalent(f"{at}.type", fault)
    if not tool.name:
        raise invalid(f"{at}.name", "is required")
    parts = [b'{"type":"function","name":', msgspec.json.encode(shortened(tool.name))]
    if bytes(tool.description) != b"null":
        parts += (b',"description":', text(tool.description, at, "description"))
    parts += (b',"parameters":', _schema(tool.input_schema, at))
    parts += (b',"strict":true}' if tool.strict else b',"strict":false}',)
    return b"".join(parts)


def _schema(schema: Raw, at: str) -> bytes:
    """Return a schema without `$schema`, and with no `required` that is null."""
    raw = bytes(schema)
    if raw == b"null":
        return NO_PARAMETERS
    if raw[:1] != b"{":
        raise invalid(f"{at}.input_schema", "must be a JSON schema of type object")
    return with_required(without_dialect(raw))


def _web_search(tool: Tool) -> bytes:
    search: dict[str, object] = {"type": "web_search"}
    if tool.allowed_domains:
        search["filters"] = {"allowed_domains": tool.allowed_domains}
    if tool.user_location is not None:
        place = msgspec.structs.asdict(tool.user_location)
        known = {name: value for name, value in place.items() if value is not None}
        search["user_location"] = {**known, "type": "approximate"}
    return msgspec.json.encode(search)


def choice_of(members: Mapping[str, bytes], toolbox: Toolbox) -> dict[str, bytes]:
    """Return `tool_choice` and `parallel_tool_calls`, as far as a request with tools sets them."""
    choice = member(members, "tool_choice", _decode_choice)
    if choice is None or choice.name in toolbox.refused:
        return {}
    chosen = _chosen(choice, toolbox)
    if not toolbox.offered:
        return {}
    changes = {"tool_choice": chosen}
    if choice.disable_parallel_tool_use:
        changes["parallel_tool_calls"] = b"false"
    return changes


def _chosen(choice: _Choice, toolbox: Toolbox) -> bytes:
    if choice.type in _CHOICES:
        return _CHOICES[choice.type]
    if choice.type != "tool":
        raise invalid("tool_choice.type", "must be auto, any, none, or tool with a 'name'")
    if not choice.name:
        raise invalid("tool_choice.name", "is required where a tool is chosen")
    if choice.name in toolbox.searches:
        return _SEARCH
    return msgspec.json.encode({"type": "function", "name": shortened(choice.name)})
