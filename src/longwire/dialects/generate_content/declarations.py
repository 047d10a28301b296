"""The tools of a turn as Gemini's, and which of the client's own tools each declared name is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from longwire.dialects.client_tools import Declared
from longwire.dialects.generate_content.function_names import sent_name
from longwire.dialects.losses import Losses
from longwire.dialects.offered_tools import WEB_SEARCH, Offered, chosen_of, leave_out, offered

_NOTHING: Final = (b"", b"{}")
_encode: Final = msgspec.json.Encoder().encode
_MODES: Final = {"auto": b'"AUTO"', "required": b'"ANY"', "none": b'"NONE"'}


@dataclass(frozen=True, slots=True)
class Tools:
    """The `tools` of a body as raw JSON, b"" for none, and whose each declared name is."""

    raw: bytes = b""
    declared: Mapping[str, Declared] = field(default_factory=dict)


def tools_of(
    members: Mapping[str, bytes], found: Sequence[tuple[str, bytes]], losses: Losses
) -> Tools:
    """Return the tools of a turn. Raises `InvalidRequest`, which names the place.

    Lists of tools that were `found` in the conversation, each with its path, stand behind the
    others. A search of the web is left out beside functions: Gemini refuses both in one request.
    """
    declared: dict[str, Declared] = {}
    written: list[bytes] = []
    has_search = False
    for each in _all(members, found):
        if each.tool.is_search:
            has_search = True
        elif not each.tool.is_clients:
            leave_out(each.tool, losses)
        else:
            name = sent_name(each.declared.name, each.declared.namespace)
            if name not in declared:
                declared[name] = each.declared
                written.append(_declaration(name, each))
    if not written:
        return Tools(b'[{"googleSearch":{}}]' if has_search else b"")
    if has_search:
        losses.drop(f"tools.{WEB_SEARCH}")
    return Tools(b'[{"functionDeclarations":[%b]}]' % b",".join(written), declared)


def _all(members: Mapping[str, bytes], found: Sequence[tuple[str, bytes]]) -> Iterator[Offered]:
    for path, raw in (("tools", members.get("tools", b"null")), *found):
        yield from offered(raw, path)


def _declaration(name: str, each: Offered) -> bytes:
    description, schema = each.description, each.schema
    said = b',"description":' + description if description else b""
    if schema not in _NOTHING:
        said += b',"parametersJsonSchema":' + schema
    return b'{"name":%b%b}' % (_encode(name), said)


def tool_config(members: Mapping[str, bytes], tools: Tools, losses: Losses) -> bytes:
    """Return `toolConfig` as raw JSON, b"" where the model decides. Raises `InvalidRequest`."""
    chosen = chosen_of(members.get("tool_choice"), tools.declared, sent_name, losses)
    names, mode = chosen.names, _MODES[chosen.mode]
    if not tools.declared or (names is None and chosen.mode == "auto"):
        return b""
    if names == ():
        return b'{"functionCallingConfig":{"mode":"NONE"}}'
    if names is None:
        return b'{"functionCallingConfig":{"mode":%b}}' % mode
    mode = b'"VALIDATED"' if chosen.mode == "auto" else mode
    return b'{"functionCallingConfig":{"mode":%b,"allowedFunctionNames":%b}}' % (
        mode,
        _encode(names),
    )
