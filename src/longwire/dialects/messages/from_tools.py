"""Tools of the Responses API as those of the Messages API, and which of them is called."""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Raw

from longwire.dialects.client_tools import FUNCTION, Declared
from longwire.dialects.fields import decoded
from longwire.dialects.losses import Losses
from longwire.dialects.messages.upstream_names import safe_name
from longwire.dialects.offered_tools import WEB_SEARCH, Offered, Tool, chosen_of, leave_out, offered
from longwire.dialects.raw_json import NULL, split_members, tolerant
from longwire.dialects.schemas import NO_PARAMETERS, with_required

_SEARCH_TYPE: Final = "web_search_20250305"


class _Filters(msgspec.Struct, gc=False):
    allowed_domains: list[str] | None = None


_decode_filters: Final = tolerant(msgspec.json.Decoder(_Filters | None).decode)
_encode: Final = msgspec.json.encode
_CHOICES: Final = {"auto": "auto", "required": "any", "none": "none"}


class Offer:
    """Collects the tools of a turn: `raw` in their order, `by_name` those that the client runs."""

    __slots__ = ("_losses", "_may_be_strict", "by_name", "raw")

    def __init__(self, losses: Losses, *, may_be_strict: bool) -> None:
        self._losses = losses
        self._may_be_strict = may_be_strict
        self.raw: list[bytes] = []
        self.by_name: dict[str, Declared] = {}

    def add(self, tools: bytes | Raw, at: str) -> None:
        """Offer more tools; one whose name is taken is left out. Raises `InvalidRequest`."""
        for each in offered(tools, at):
            if each.tool.is_clients:
                self._offer(each.declared, self._function(each))
            elif each.tool.is_search:
                search = _search(each.tool, each.path)
                if search not in self.raw:
                    self.raw.append(search)
            else:
                leave_out(each.tool, self._losses)

    def _offer(self, declared: Declared, said: bytes) -> None:
        name = safe_name(declared.name, declared.namespace)
        if name not in self.by_name:
            self.by_name[name] = declared
            self.raw.append(b'{"name":%b%b' % (_encode(name), said))

    def add_called(self, names: Iterable[str]) -> None:
        """Offer tools that were called before: a history with calls is refused without any."""
        for name in names:
            self._offer(Declared(FUNCTION, name), b',"input_schema":%b}' % NO_PARAMETERS)

    def _function(self, each: Offered) -> bytes:
        description = each.description
        said = b',"description":' + description if description else b""
        strict = b',"strict":true' if each.tool.strict and self._may_be_strict else b""
        return b'%b,"input_schema":%b%b}' % (said, _object(each.schema), strict)

    def choice(self, raw: bytes | None) -> dict[str, str]:
        """Return `tool_choice`, {} where Claude chooses. Raises `InvalidRequest`."""
        if raw in (None, b"null"):
            return {}
        names = [*self.by_name]
        if len(self.raw) > len(names):
            names.append(WEB_SEARCH)
        chosen = chosen_of(raw, names, safe_name, self._losses)
        allowed = names if chosen.names is None else chosen.names
        if chosen.mode == "none" or not allowed:
            return {"type": "none"}
        if chosen.names is not None and chosen.mode == "required" and len(allowed) == 1:
            return {"type": "tool", "name": allowed[0]}
        if not {*allowed}.issuperset(names):
            fault = "allows some of the tools, which Claude cannot be made to heed"
            self._losses.refuse("tool_choice", fault)
        return {"type": _CHOICES[chosen.mode]}


def _object(schema: bytes) -> bytes:
    """Return a schema whose root is an object, which Claude requires."""
    if not schema:
        return NO_PARAMETERS
    members = split_members(schema)
    if bytes(members.get("type", NULL)) != b'"object"':
        members = {"type": Raw(b'"object"')} | {
            name: raw for name, raw in members.items() if name != "type"
        }
        schema = msgspec.json.encode(members)
    return with_required(schema)


def _search(tool: Tool, path: str) -> bytes:
    search: dict[str, object] = {"type": _SEARCH_TYPE, "name": WEB_SEARCH}
    filters = decoded(_decode_filters, tool.filters, f"{path}.filters")
    if filters is not None and filters.allowed_domains:
        search["allowed_domains"] = filters.allowed_domains
    if bytes(tool.user_location)[:1] == b"{":
        search["user_location"] = tool.user_location
    return _encode(search)
