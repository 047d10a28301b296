"""Fields of a body as they are decoded; what is wrong is said by a path: `messages.2.content.0`."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest, Unsayable
from longwire.dialects.raw_json import tolerant
from longwire.dialects.repeats import refuse_repeats

T = TypeVar("T")
_FAULT = re.compile(r"(?P<fault>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_INDEX = re.compile(r"\[(\w+|\.\.\.)\]")
_MISSING = re.compile(r"Object missing required field `(.+)`")


class NoEquivalent(InvalidRequest):
    """A field that other APIs have no words for: a channel may drop it."""


def no_equivalent(path: str, fault: str) -> NoEquivalent:
    """Return the error of a field that is understood, and can be said in its own API alone."""
    return NoEquivalent(f"'{path}' {fault}.", param=path)


def invalid(path: str, fault: str) -> InvalidRequest:
    """Return the error that says what is wrong with a field."""
    return InvalidRequest(f"'{path}' {fault}.", param=path)


def unsayable(path: str, fault: str, mend: str) -> Unsayable:
    """Return the error of a field that says what an upstream's API has no words for."""
    return Unsayable(f"'{path}' {fault}; {mend}.", param=path)


def within(path: str, error: InvalidRequest) -> InvalidRequest:
    """Return the error of a field whose own path leads there from this one."""
    return type(error)(f"'{path}.{str(error)[1:]}", param=f"{path}.{error.param}")


def decoded(decode: Callable[[bytes | Raw], T], raw: bytes | Raw, path: str) -> T:
    """Decode the value of a field. Raises `InvalidRequest`, which names it or what is inside it."""
    try:
        try:
            return decode(raw)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return tolerant(decode)(raw)  # the rare way, for one that has half an emoji
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _invalid(str(error), path) from None


def member(members: Mapping[str, bytes], name: str, decode: Callable[[bytes | Raw], T]) -> T | None:
    """Return a member as it is decoded; None where there is none. Raises `InvalidRequest`.

    An object in which a member is repeated is refused.
    """
    if name not in members:
        return None
    value = decoded(decode, members[name], name)
    if members[name][:1] == b"{":
        refuse_repeats(members[name], {}, name)
    return value


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
    raise no_text(value, f"{path}.{name}" if name else path)


def no_text(raw: bytes | Raw, path: str) -> InvalidRequest:
    """Return the error of a field that is no text."""
    value = bytes(raw)
    fault = f"must be a string, not {_kind(value)}" if value else "is required"
    return invalid(path, fault)


def _kind(raw: bytes) -> str:
    kinds = {b"{": "an object", b"[": "an array", b"n": "null", b"t": "true", b"f": "false"}
    return kinds.get(raw[:1], "a number")
