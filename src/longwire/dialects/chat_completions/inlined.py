"""JSON schemas without references, for vendors that do not follow them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from longwire.dialects.fields import invalid

_REF, _DEFINITIONS = "$ref", ("$defs", "definitions")
_ANYTHING: Final[Mapping[str, Any]] = {"type": "object"}
_MOST_NODES: Final = 10_000


def inlined(raw: bytes, path: str) -> bytes:
    """Return a schema with each definition where it is referred to.

    One that refers to itself is any object there. What is no schema stays as it is. Raises
    `InvalidRequest`, which names the path, where the definitions would become too many values.
    """
    if b'"$ref"' not in raw:
        return raw
    try:
        schema = msgspec.json.decode(raw)
        if not isinstance(schema, dict):
            return raw
        whole = _Inliner(schema).whole()
        return msgspec.json.encode(whole) if isinstance(whole, dict) else raw
    except (msgspec.MsgspecError, RecursionError):
        return raw
    except OverflowError:
        fault = (
            "refers to its definitions so often that it has too many values without references, "
            f"which this upstream needs; at most {_MOST_NODES} may come of definitions"
        )
        raise invalid(path, fault) from None


class _Inliner:
    """Writes the definitions of one schema into it; each is walked once, if it is always the same.

    It depends on where it stands if it refers to one that is being written around it.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._nodes = 0
        self._open: list[str] = []
        self._cut: set[str] = set()
        self._known: dict[str, tuple[Any, int]] = {}

    def whole(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the schema. Raises `OverflowError` where too much comes of its definitions."""
        schema = self._schema
        return self._inline({name: schema[name] for name in schema if name not in _DEFINITIONS})

    def _inline(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if self._open:
            self._count(1)
        if isinstance(value, list):
            return [self._inline(each) for each in value]
        if not isinstance(value, dict):
            return value
        ref = value.get(_REF)
        if not isinstance(ref, str):
            return {name: self._inline(each) for name, each in value.items()}
        beside = {name: self._inline(each) for name, each in value.items() if name != _REF}
        if ref in self._open:
            self._cut.add(ref)
            return {**_ANYTHING, **beside}
        target = _target(self._schema, ref)
        if target is None:
            return value
        found = self._definition(ref, target)
        return {**found, **beside} if isinstance(found, dict) else found

    def _definition(self, ref: str, target: Any) -> Any:  # noqa: ANN401 - any JSON
        if ref in self._known:
            found, size = self._known[ref]
            self._count(size)
            return found
        around, self._cut, before = self._cut, set(), self._nodes
        self._open.append(ref)
        found = self._inline(target)
        self._open.pop()
        self._cut.discard(ref)
        if not self._cut:
            self._known[ref] = found, self._nodes - before
        self._cut |= around
        return found

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > _MOST_NODES:
            raise OverflowError


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
