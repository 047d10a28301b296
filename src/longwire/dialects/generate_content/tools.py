"""The tools of a request, and what is chosen among them."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects.chat_completions.wire import ABSENT, Reading
from longwire.dialects.fields import invalid, text
from longwire.dialects.generate_content.calls import upstream_name
from longwire.dialects.generate_content.schema import parameters_of
from longwire.dialects.generate_content.wire import camel, camelled, listed
from longwire.dialects.raw_json import NULL, split_items, split_members
from longwire.dialects.repeats import compact

_FUNCTIONS: Final = "functionDeclarations"
_SEARCHES: Final = frozenset({"googleSearch", "googleSearchRetrieval", "enterpriseWebSearch"})
_SEARCH: Final = b'{"type":"web_search"}'
_NOTHING: Final = frozenset({b"null", b"[]"})
_MODES: Final = {"AUTO": b'"auto"', "VALIDATED": b'"auto"', "ANY": b'"required"', "NONE": b'"none"'}
_encode: Final = msgspec.json.Encoder().encode


class _Function(msgspec.Struct, rename="camel"):
    name: str = ""
    description: Raw = ABSENT
    parameters: Raw = NULL
    parameters_json_schema: Raw = NULL
    response: Raw = NULL
    response_json_schema: Raw = NULL


class _Choice(msgspec.Struct, rename="camel"):
    mode: str | None = None
    allowed_function_names: list[str] | None = None


class _Config(msgspec.Struct, rename="camel"):
    function_calling_config: _Choice | None = None


_DECLARED: Final = Reading(list[_Function], f"tools.{_FUNCTIONS}", camelled)
_CONFIG: Final = Reading(_Config, "toolConfig", camelled)


class Toolbox:
    """Collects tools; a `refusal` says which of them runs on Google's servers alone."""

    def __init__(self, originals: dict[str, str], dropped: set[str]) -> None:
        self.offered: list[bytes] = []
        self.refusal: InvalidRequest | None = None
        self._originals = originals
        self._dropped = dropped

    def read(self, raw: bytes) -> None:
        """Read the tools of a request. Raises `InvalidRequest`, which names the field."""
        for at, item in enumerate(split_items(_array(raw, "tools"))):
            if bytes(item)[:1] != b"{":
                raise invalid(f"tools.{at}", "must be an object")
            for name, value in split_members(item).items():
                self._add(camel(name), bytes(value), f"tools.{at}")

    def _add(self, kind: str, raw: bytes, at: str) -> None:
        if raw in _NOTHING:
            return
        if kind == _FUNCTIONS:
            functions = _DECLARED.decode(compact(listed(raw)), f"{at}.{kind}", self._dropped)
            for number, function in enumerate(functions):
                self.offered.append(self._function(function, f"{at}.{kind}.{number}"))
        elif kind in _SEARCHES:
            self._dropped |= {f"tools.{kind}"} if raw.strip(b"{} ") else set()
            self.offered += [] if _SEARCH in self.offered else [_SEARCH]
        else:
            self._dropped.add(f"tools.{kind}")
            fault = "runs on Google's servers; offer it as a function, or leave it out"
            self.refusal = self.refusal or invalid(f"{at}.{kind}", fault)

    def _function(self, function: _Function, at: str) -> bytes:
        if not function.name:
            raise invalid(f"{at}.name", "is required")
        name = upstream_name(function.name)
        if name != function.name:
            self._originals[name] = function.name
        said = b'{"type":"function","name":%b' % _encode(name)
        if bytes(function.description) not in (b"", b"null"):
            said += b',"description":' + text(function.description, at, "description")
        own, json_schema = bytes(function.parameters), bytes(function.parameters_json_schema)
        for left_out in ("response", "response_json_schema"):
            if bytes(getattr(function, left_out)) != b"null":
                self._dropped.add(f"tools.{_FUNCTIONS}.{camel(left_out)}")
        return said + b',"parameters":%b,"strict":false}' % parameters_of(own, json_schema, at)

    def choice(self, members: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return `tool_choice`, as far as a request with tools sets it."""
        if "toolConfig" not in members:
            return {}
        config = _CONFIG.decode(members["toolConfig"], "toolConfig", self._dropped)
        choice = config.function_calling_config
        mode = choice.mode.upper() if choice is not None and choice.mode else "MODE_UNSPECIFIED"
        if mode == "MODE_UNSPECIFIED" or choice is None or not self.offered:
            return {}
        if mode not in _MODES:
            path = "toolConfig.functionCallingConfig.mode"
            raise invalid(path, f"must be one of {', '.join(_MODES)}")
        allowed = choice.allowed_function_names
        if mode == "NONE" or not allowed:
            return {"tool_choice": _MODES[mode]}
        return {"tool_choice": _allowed(_MODES[mode], allowed)}


def _allowed(mode: bytes, names: Sequence[str]) -> bytes:
    """Return the choice among some functions; of one that has to be called, that one."""
    tools = [b'{"type":"function","name":%b}' % _encode(upstream_name(name)) for name in names]
    if len(tools) == 1 and mode == _MODES["ANY"]:
        return tools[0]
    return b'{"type":"allowed_tools","mode":%b,"tools":[%b]}' % (mode, b",".join(tools))


def _array(raw: bytes, at: str) -> bytes:
    raw = listed(raw)
    if raw[:1] != b"[":
        raise invalid(at, "must be an array")
    return raw
