"""Messages as the wire has them: what is read of each, and which members nobody reads."""

from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, Raw, UnsetType
from msgspec.structs import fields

from longwire.dialects.fields import decoded
from longwire.dialects.raw_json import NULL
from longwire.dialects.repeats import Names, refuse_repeats, write

T = TypeVar("T")
ABSENT: Final = Raw(b"")
EMPTY: Final = Raw(b'""')


class Function(msgspec.Struct):
    """What a call of a function calls."""

    name: Raw = ABSENT
    arguments: Raw = EMPTY


class Custom(msgspec.Struct):
    """What a call of a custom tool calls."""

    name: Raw = ABSENT
    input: Raw = EMPTY


class Call(msgspec.Struct):
    """One call; `index` is what a client left in it that put it together from chunks."""

    id: Raw = ABSENT
    type: str | None = None
    function: Function | None = None
    custom: Custom | None = None
    index: Raw = NULL


class Message(msgspec.Struct):
    """One message of whatever role."""

    role: str
    content: Raw = NULL
    name: Raw = NULL
    refusal: Raw = NULL
    tool_calls: list[Call] | UnsetType | None = UNSET
    function_call: Raw = NULL
    tool_call_id: Raw = ABSENT
    audio: Raw = NULL
    annotations: Raw = NULL
    reasoning_details: Raw = NULL
    reasoning_content: Raw = NULL
    reasoning: Raw = NULL


class Part(msgspec.Struct):
    """One part of a content."""

    type: str
    text: Raw = ABSENT
    refusal: Raw = ABSENT
    image_url: Raw = ABSENT
    file: Raw = ABSENT
    input_audio: Raw = ABSENT
    prompt_cache_breakpoint: Raw = NULL


class Image(msgspec.Struct):
    """Where an image is, and how closely it is looked at."""

    url: Raw = ABSENT
    detail: Raw = NULL


class File(msgspec.Struct):
    """A file by its id, or with its content."""

    file_id: Raw = NULL
    file_data: Raw = NULL
    filename: Raw = NULL


class Audio(msgspec.Struct):
    """Sound in base64, and what format it is in."""

    data: Raw = ABSENT
    format: Raw = ABSENT


class Detail(msgspec.Struct):
    """One piece of reasoning; `index` is where its item stands among those of its answer."""

    type: str = ""
    format: str | None = None
    id: str | None = None
    index: int | None = None
    summary: Raw = NULL
    data: Raw = NULL


Respell = Callable[[bytes, Names], bytes]
"""Returns a value with these names for members that are spelled otherwise in it."""


class Reading(Generic[T]):
    """Reads values of one kind: at once where all their members are known, else naming the rest."""

    def __init__(self, kind: type[T], name: str, respell: Respell | None = None) -> None:
        """Take what to read, what the field is called that it stands in, and other spellings."""
        self._name = name
        self._respell = respell
        known, self._names = _strict(kind)
        self._known = msgspec.json.Decoder(known).decode
        self._any = msgspec.json.Decoder(kind).decode

    def decode(self, raw: bytes, path: str, dropped: set[str]) -> T:
        """Decode the value of a field; what nobody reads in it is `dropped` by name.

        Raises `InvalidRequest`, which names the field, or the member that is there twice.
        """
        try:
            value: T = self._known(raw)
            if len(write(value)) == len(raw):
                return value
        except (msgspec.MsgspecError, RecursionError):
            raw = self._respell(raw, self._names) if self._respell is not None else raw
            value = decoded(self._any, raw, path)
        refuse_repeats(raw, self._names, path)
        dropped.update(_unknown(_anything(raw), self._names, self._name))
        return value


def _strict(kind: Any) -> tuple[Any, Names]:  # noqa: ANN401 - a type hint
    """Return a type that refuses members which nobody reads, and the names of those it has."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        found = [(each, *_strict(each.type)) for each in fields(kind)]
        members = [
            (each.name, hint) if each.default is NODEFAULT else (each.name, hint, each.default)
            for each, hint, _ in found
        ]
        names = {each.encode_name: inner for each, _, inner in found}
        known = msgspec.defstruct(
            kind.__name__,
            members,
            forbid_unknown_fields=True,
            omit_defaults=True,
            rename={each.name: each.encode_name for each, _, _ in found},
        )
        return known, names
    parts = [_strict(each) for each in get_args(kind)]
    if not parts:
        return kind, {}
    hints = tuple(hint for hint, _ in parts)
    names = {name: each for _, inner in parts for name, each in inner.items()}
    return (list[hints[0]] if get_origin(kind) is list else Union[hints]), names  # type: ignore[valid-type] # noqa: UP007


def _unknown(value: Any, names: Names, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Name the members of a value that are not among these names, and say something."""
    for each in value if isinstance(value, list) else [value]:
        members = each.items() if isinstance(each, dict) and names else ()
        for name, member in members:
            if name in names:
                yield from _unknown(member, names[name], f"{path}.{name}")
            elif member is not None:
                yield f"{path}.{name}"


_anything = msgspec.json.Decoder(Any).decode
MESSAGES = Reading(list[Message], "messages")
PARTS = Reading(list[Part], "messages.content")
IMAGE = Reading(Image, "messages.content.image_url")
FILE = Reading(File, "messages.content.file")
AUDIO = Reading(Audio, "messages.content.input_audio")
FUNCTION = Reading(Function, "messages.function_call")
DETAILS = Reading(list[Detail], "messages.reasoning_details")
