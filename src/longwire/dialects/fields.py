"""What is wrong with a body, with the field as a path such as `messages.2.content.0.type`."""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects.raw_json import tolerant

T = TypeVar("T")
_FAULT = re.compile(r"(?P<fault>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_INDEX = re.compile(r"\[(\w+|\.\.\.)\]")
_MISSING = re.compile(r"Object missing required field `(.+)`")


def invalid(path: str, fault: str) -> InvalidRequest:
    """Return the error that says what is wrong with a field."""
    return InvalidRequest(f"'{path}' {fault}.", param=path)


def within(path: str, error: InvalidRequest) -> InvalidRequest:
    """Return the error of a field whose own path leads there from this one."""
    return InvalidRequest(f"'{path}.{str(error)[1:]}", param=f"{path}.{error.param}")


def decoded(decode: Callable[[bytes | Raw], T], raw: bytes | Raw, path: str) -> T:
    """Decode the value of a field. Raises `InvalidRequest`, which names it or what is inside it."""
    try:
        return tolerant(decode)(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _invalid(str(error), path) from None


def _invalid(said: str, path: str) -> InvalidRequest:
    found = _FAULT.fullmatch(said)
    fault, inner = (found["fault"], found["path"] or "") if found else (said, "")
    path += _INDEX.sub(r".\1", inner)
    missing = _MISSING.fullmatch(fault)
    if missing:
        return invalid(f"{path}.{missing[1]}", "is required")
    return invalid(path, f"is not what it must be: {fault}")


def text(raw: bytes | Raw, path: str, name: str = "") -> bytes:
    """Return a raw value that is a text: the field at a path, or the one of a name in it.

    Raises `InvalidRequest` where it is anything else.
    """
    value = bytes(raw)
    if value[:1] == b'"':
        return value
    path = f"{path}.{name}" if name else path
    raise invalid(path, f"must be a string, not {_kind(value)}" if value else "is required")


def _kind(raw: bytes) -> str:
    kinds = {b"{": "an object", b"[": "an array", b"n": "null", b"t": "true", b"f": "false"}
    return kinds.get(raw[:1], "a number")
