"""The tools of a request: functions, a web search, and those that are deferred until found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects.fields import invalid
from longwire.dialects.names import LONGEST, shortened
from longwire.dialects.raw_json import NULL, member_of, merge, split_members, tolerant
from longwire.dialects.repeats import check_repeats
from longwire.dialects.schemas import NO_PARAMETERS, with_required

_WEB_SEARCH: Final = "web_search_"
_SEARCH: Final = b'{"type":"web_search"'


class _Location(msgspec.Struct, omit_defaults=True):
    type: str | None = None
    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class Tool(msgspec.Struct, omit_defaults=True):
    """What is read of one tool; the rest is for other APIs, and the last ones are only known."""

    name: str = ""
    type: str | None = None
    description: Raw = NULL
    input_schema: Raw = NULL
    strict: bool | None = None
    defer_loading: bool | None = None
    allowed_domains: list[str] | None = None
    user_location: _Location | None = None
    cache_control: Raw = NULL
    eager_input_streaming: Raw = NULL


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of one request as raw JSON: `offered` in order, `deferred` by name.

    `originals` has the names that were too long to be sent, by those sent instead.
    """

    offered: tuple[bytes, ...] = ()
    deferred: Mapping[str, bytes] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict)

    @property
    def searches(self) -> bool:
        """Whether it offers a search of the web."""
        return any(each.startswith(_SEARCH) for each in self.offered)


_tools: Final = msgspec.json.Decoder(list[Tool] | None)
_decode_tool: Final = tolerant(msgspec.json.Decoder(Tool).decode)
_choices: Final = msgspec.json.Decoder(_Choice | None)
_CHOICES: Final = {"auto": b'"auto"', "any": b'"required"', "none": b'"none"'}


def toolbox_of(members: Mapping[str, bytes]) -> Toolbox:
    """Return the tools of a request. Raises `InvalidRequest`, which names one that is refused."""
    if "tools" not in members:
        return Toolbox()
    tools = member_of(members, "tools", _tools, "an array of tools, each with a 'name'") or ()
    check_repeats(members["tools"], tools, "tools")
    offered: list[bytes] = []
    deferred: dict[str, bytes] = {}
    originals: dict[str, str] = {}
    for index, tool in enumerate(tools):
        raw = _translated(tool, f"tools.{index}")
        if len(tool.name) > LONGEST:
            originals[shortened(tool.name)] = tool.name
        if tool.defer_loading:
            deferred[tool.name] = raw
        else:
            offered.append(raw)
    return Toolbox(tuple(offered), deferred, originals)


def inline_tool(definition: Raw, at: str) -> bytes:
    """Return a tool that a message brings along. Raises `InvalidRequest`."""
    try:
        return _translated(_decode_tool(definition), at)
    except msgspec.MsgspecError:
        raise invalid(at, "must be a tool with a 'name'") from None


def _translated(tool: Tool, at: str) -> bytes:
    kind = tool.type or "custom"
    if kind.startswith(_WEB_SEARCH):
        return _web_search(tool)
    if kind != "custom":
        message = (
            f"The tool '{tool.name}' of type '{kind}' runs on Anthropic's servers or needs its "
            "models; offer it as a client tool with an 'input_schema', or leave it out."
        )
        raise InvalidRequest(message, param=f"{at}.type")
    if not tool.name:
        raise invalid(f"{at}.name", "is required")
    parts = [b'{"type":"function","name":', msgspec.json.encode(shortened(tool.name))]
    if bytes(tool.description) != b"null":
        parts += (b',"description":', tool.description)
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
    if b'"$schema"' in raw:
        members = split_members(schema)
        if "$schema" in members:
            raw = merge(members, {"$schema": None})
    return with_required(raw)


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
    if "tool_choice" not in members:
        return {}
    choice = member_of(members, "tool_choice", _choices, "an object with a 'type'")
    if choice is None or not toolbox.offered:
        return {}
    changes: dict[str, bytes] = {}
    if choice.disable_parallel_tool_use:
        changes["parallel_tool_calls"] = b"false"
    if choice.type == "tool" and choice.name:
        named = {"type": "function", "name": shortened(choice.name)}
        changes["tool_choice"] = msgspec.json.encode(named)
    elif choice.type in _CHOICES:
        changes["tool_choice"] = _CHOICES[choice.type]
    else:
        raise invalid("tool_choice.type", "must be auto, any, none, or tool with a 'name'")
    return changes
