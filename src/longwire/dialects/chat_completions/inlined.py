"""JSON schemas without references, for vendors that do not follow them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

_REF, _DEFINITIONS = "$ref", ("$defs", "definitions")
_ANYTHING: Final[Mapping[str, Any]] = {"type": "object"}


def inlined(raw: bytes) -> bytes:
    """Return a schema with each definition where it is referred to.

    One that refers to itself is any object there. What is no schema stays as it is.
    """
    if b'"$ref"' not in raw:
        return raw
    try:
        schema = msgspec.json.decode(raw)
        return msgspec.json.encode(_without_definitions(_inline(schema, schema, ())))
    except (msgspec.MsgspecError, RecursionError):
        return raw


def _inline(value: Any, root: Any, open_refs: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return [_inline(each, root, open_refs) for each in value]
    if not isinstance(value, dict):
        return value
    ref = value.get(_REF)
    beside = {name: _inline(each, root, open_refs) for name, each in value.items() if name != _REF}
    if not isinstance(ref, str):
        return {**beside, _REF: _inline(ref, root, open_refs)} if _REF in value else beside
    if ref in open_refs:
        return {**_ANYTHING, **beside}
    target = _target(root, ref)
    if target is None:
        return value
    found = _inline(target, root, (*open_refs, ref))
    return {**found, **beside} if isinstance(found, dict) else found


def _target(root: Any, ref: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what a reference such as `#/$defs/Node` points to, None for nothing in here."""
    if not ref.startswith("#"):
        return None
    found = root
    for name in filter(None, ref[1:].split("/")):
        key = name.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return found


def _without_definitions(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    return {name: value for name, value in schema.items() if name not in _DEFINITIONS}
