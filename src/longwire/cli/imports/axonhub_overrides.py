"""What AxonHub's channels change in requests, as overrides: what is fixed, for a model or for all.

https://github.com/looplj/axonhub: docs/en/guides/request-override.md.
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from longwire.cli.imports.plan import Plan, Table
from longwire.cli.imports.reading import entries, table, text
from longwire.core.nouns.override import check_member
from longwire.core.nouns.renames import is_pattern
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.sent_headers import check_header, is_header_value

_ACTIONS: Final = {"set": "set", "set_if_absent": "default", "delete": "remove"}
_CLEARED: Final = "__AXONHUB_CLEAR__"
_ONE_MODEL: Final = re.compile(r'\{\{\s*eq\s+\.Model\s+"([^"\\]+)"\s*\}\}')
_DYNAMIC: Final = ("{{", "${")


class _Operation(NamedTuple):
    """One change, and where it stands there."""

    where: str
    entry: Mapping[str, Any]
    is_header: bool

    @property
    def path(self) -> str:
        """The member or the header."""
        return text(self.entry.get("path"), self.where)


def overrides_of(plan: Plan, where: str, settings: Mapping[str, Any]) -> list[Table]:
    """Return the overrides of a channel; what cannot be one is noted."""
    found: list[Table] = []
    for operation in (*_of_bodies(plan, where, settings), *_of_headers(where, settings)):
        override = _override(operation)
        if isinstance(override, str):
            plan.note(operation.where, "left", override)
        else:
            found.append(override)
            plan.note(operation.where, "taken", f"override of {operation.path}")
    return found


def _of_bodies(plan: Plan, where: str, settings: Mapping[str, Any]) -> Iterator[_Operation]:
    """Yield changes of members; a list of operations stands before the older text."""
    place, held = f"{where}.bodyOverrideOperations", settings.get("bodyOverrideOperations")
    if held is None:
        place = f"{where}.overrideParameters"
        try:
            held = json.loads(text(settings.get("overrideParameters"), place) or "{}")
        except json.JSONDecodeError:
            plan.note(place, "left", "it is no JSON")
            return
    if isinstance(held, Mapping):
        held = [_assigned(name, value) for name, value in held.items()]
    for number, each in enumerate(entries(held, place)):
        at = f"{place}[{number}]"
        yield _Operation(at, table(each, at), is_header=False)


def _of_headers(where: str, settings: Mapping[str, Any]) -> Iterator[_Operation]:
    place, held = f"{where}.headerOverrideOperations", settings.get("headerOverrideOperations")
    if held is None:
        place = f"{where}.overrideHeaders"
        pairs = [table(each, place) for each in entries(settings.get("overrideHeaders"), place)]
        held = [_assigned(each.get("key"), each.get("value")) for each in pairs]
    for number, each in enumerate(entries(held, place)):
        at = f"{place}[{number}]"
        yield _Operation(at, table(each, at), is_header=True)


def _assigned(name: object, value: object) -> Table:
    if value == _CLEARED:
        return {"op": "delete", "path": name}
    return {"op": "set", "path": name, "value": value}


def _override(operation: _Operation) -> Table | str:
    """Return an override, or why there can be none."""
    path, kind = operation.path, text(operation.entry.get("op"), operation.where)
    action = _ACTIONS.get(kind)
    if action is None:
        return f"{kind}: members and headers are set, defaulted and removed here, nothing else"
    if problem := check_header(path) if operation.is_header else check_member(path):
        return f"{path}: {problem}"
    override: Table = {"action": action, "header" if operation.is_header else "member": path}
    if condition := text(operation.entry.get("condition"), operation.where):
        named = _ONE_MODEL.fullmatch(condition.strip())
        if named is None or is_pattern(named[1]):
            return f"{path}: its condition is more than the name of one model"
        override["models"] = [named[1]]
    if action == "remove":
        return override
    value = _value(operation.entry.get("value"), is_text=operation.is_header)
    if isinstance(value, str) and any(sign in value for sign in _DYNAMIC):
        return f"{path}: its value is worked out from the request"
    if operation.is_header:
        is_good = isinstance(value, str) and bool(value) and is_header_value(value)
        return (
            {**override, "value": Secret(str(value))} if is_good else f"{path}: no header's value"
        )
    return (
        f"{path}: null has no word in the file"
        if _has_null(value)
        else {**override, "value": value}
    )


def _value(value: object, *, is_text: bool) -> object:
    """Return what a member is set to: a text that is JSON is what it says."""
    if is_text or not isinstance(value, str) or any(sign in value for sign in _DYNAMIC):
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except json.JSONDecodeError:
        return value


def _has_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    return any(map(_has_null, value)) if isinstance(value, list) else value is None
