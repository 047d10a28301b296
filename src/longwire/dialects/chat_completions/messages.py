"""Messages of a conversation as items of the Responses API.

Law: the same messages give the same bytes. Texts and arguments are the client's own bytes; a text
alone is one part; nothing has an id but what the client says of reasoning.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects.chat_completions.names import short_id, short_name
from longwire.dialects.chat_completions.wire import (
    ABSENT,
    AUDIO,
    DETAILS,
    FILE,
    FUNCTION,
    IMAGE,
    MESSAGES,
    PARTS,
    Call,
    Detail,
    Function,
    Image,
    Message,
    Part,
)
from longwire.dialects.fields import NoEquivalent, invalid, no_equivalent, text, within
from longwire.dialects.raw_json import NULL
from longwire.dialects.repeats import compact
from longwire.dialects.seals import is_translated, unmarked

FORMAT = "openai-responses-v1"
"""What details of reasoning are called that a Responses upstream can read."""

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_EMPTY = b'""'
_NULL = bytes(NULL)
_INPUT_TEXT = b'{"type":"input_text","text":%b}'
_TEXT_ALONE = re.compile(
    rb'\{"type":"input_text","text":("[^"\\]*+(?:\\.[^"\\]*+)*+")\}', re.DOTALL
)
Spell = Callable[[Part, set[str]], bytes]
"""Spells a part as it is here, and names what of it is left out."""


class Reasoned(NamedTuple):
    """A reasoning item, and where it stands among the items of its answer."""

    position: int
    item: bytes


class ItemReader:
    """Turns messages into items, one after another.

    `leading` counts the items of the system and developer messages that come first; `originals`
    has the names that were too long, by those sent instead; `dropped` names what is left out.
    A `refusal` says what would change the answer and has no words elsewhere; `has_audio` is for
    upstreams that hear it. A client `echoes` reasoning that sends any back: it understands what it
    is shown of it.
    """

    def __init__(self, originals: dict[str, str], dropped: set[str]) -> None:
        self.items: list[bytes] = []
        self.leading = 0
        self.echoes = self.has_audio = False
        self.refusal: InvalidRequest | None = None
        self._at = 0
        self._originals = originals
        self._dropped = dropped
        self._custom: set[bytes] = set()
        self._open: list[tuple[bytes, bytes]] = []
        self._legacy_calls = 0
        self._by_role: dict[str, Callable[[Message], None]] = {
            "system": self._instruct,
            "developer": self._instruct,
            "user": self._ask,
            "assistant": self._answer,
            "tool": self._result,
            "function": self._legacy_result,
        }

    def read(self, raw: bytes) -> None:
        """Read an array of messages. Raises `InvalidRequest`, which names the field."""
        is_leading, says_nothing = True, False
        for at, message in enumerate(MESSAGES.decode(compact(raw), "messages", self._dropped)):
            self._at, count = at, len(self.items)
            try:
                self._read(message)
            except InvalidRequest as error:
                raise within(f"messages.{at}", error) from None
            if is_leading:
                is_leading = message.role in ("system", "developer")
                self.leading = len(self.items) if is_leading else self.leading
            says_nothing = message.role == "user" and len(self.items) == count
        if self.refusal is not None and says_nothing:
            raise self.refusal  # nothing is left of the last word

    def _read(self, message: Message) -> None:
        read = self._by_role.get(message.role)
        if read is None:
            raise invalid("role", f"must be one of {', '.join(_ROLES)}")
        if message.name is not NULL and message.role != "function":
            self._note("name", message.name)
        read(message)

    def _note(self, name: str, value: Raw) -> None:
        if bytes(value) not in (_NULL, b"[]", _EMPTY):
            self._dropped.add(f"messages.{name}")

    def _instruct(self, message: Message) -> None:
        raw = bytes(message.content)
        if raw[:1] != b"[":
            self._say(message.role.encode(), _INPUT_TEXT % text(raw, "content"))
        elif spelled := self._parts(raw, _text_part):
            self._say(message.role.encode(), b",".join(spelled))

    def _ask(self, message: Message) -> None:
        raw = bytes(message.content)
        if raw[:1] != b"[":
            self._say(b"user", _INPUT_TEXT % text(raw, "content"))
        elif spelled := self._parts(raw, _asked_part):
            self._say(b"user", b",".join(spelled))

    def _say(self, role: bytes, content: bytes) -> None:
        self.items.append(b'{"type":"message","role":"%b","content":[%b]}' % (role, content))

    def _parts(self, raw: bytes, spell: Spell) -> list[bytes]:
        """Return the parts of a content as they are spelled here, b"" for what says nothing."""
        spelled: list[bytes] = []
        for at, part in enumerate(PARTS.decode(raw, "content", self._dropped)):
            self.has_audio |= part.type == "input_audio"
            try:
                spelled.append(spell(part, self._dropped))
            except NoEquivalent as error:
                self._refuse(within(f"content.{at}", error), f"content.{part.type[:40]}")
            except InvalidRequest as error:
                raise within(f"content.{at}", error) from None
        return spelled

    def _refuse(self, error: InvalidRequest, name: str) -> None:
        """Leave out by its name what a message says in this API alone."""
        self.refusal = self.refusal or within(f"messages.{self._at}", error)
        self._dropped.add(f"messages.{name}")

    def _answer(self, message: Message) -> None:
        if message.audio is not NULL and bytes(message.audio) != _NULL:
            self._refuse(no_equivalent("audio", "can be sent to its own upstream alone"), "audio")
        if message.annotations is not NULL:
            self._note("annotations", message.annotations)
        items: list[bytes] = []
        if content := self._answered(message):
            items.append(b'{"type":"message","role":"assistant","content":[%b]}' % content)
        for at, call in enumerate(message.tool_calls or ()):
            try:
                items.append(self._call(call))
            except InvalidRequest as error:
                raise within(f"tool_calls.{at}", error) from None
        if message.function_call is not NULL and bytes(message.function_call) != _NULL:
            items.append(self._legacy_call(bytes(message.function_call)))
        self.items += self._with_reasoning(items, message)

    def _answered(self, message: Message) -> bytes:
        """Return the parts of an answer's content, b"" where it says nothing."""
        raw = bytes(message.content)
        if raw[:1] == b"[":
            said = self._parts(raw, _answered_part)
        else:
            said = [] if raw == _NULL else [_spoken(b"text", text(raw, "content"))]
        if message.refusal is not NULL and bytes(message.refusal) != _NULL:
            said.append(_spoken(b"refusal", text(message.refusal, "refusal")))
        return b",".join(filter(None, said))

    def _call(self, call: Call) -> bytes:
        if call.type not in (None, "function", "custom"):
            raise invalid("type", "must be one of function, custom")
        call_id = short_id(text(call.id, "id"))
        if call.custom is not None and call.type != "function":
            self._custom.add(call_id)
            name = short_name(text(call.custom.name, "custom.name"), self._originals)
            value = text(call.custom.input, "custom.input")
            members = call_id, name, value
            return b'{"type":"custom_tool_call","call_id":%b,"name":%b,"input":%b}' % members
        if call.function is None or call.type == "custom":
            raise invalid(call.type or "function", "is required")
        return self._function_call(call_id, call.function, "function")

    def _function_call(self, call_id: bytes, function: Function, path: str) -> bytes:
        name = short_name(text(function.name, path, "name"), self._originals)
        members = call_id, name, text(function.arguments, path, "arguments")
        return b'{"type":"function_call","call_id":%b,"name":%b,"arguments":%b}' % members

    def _legacy_call(self, raw: bytes) -> bytes:
        """Return a call of the API's first form, which has no id: its place makes one."""
        function = FUNCTION.decode(raw, "function_call", self._dropped)
        call_id = b'"call_function_%d"' % self._legacy_calls
        self._legacy_calls += 1
        self._open.append((text(function.name, "function_call", "name"), call_id))
        return self._function_call(call_id, function, "function_call")

    def _with_reasoning(self, items: list[bytes], message: Message) -> list[bytes]:
        details, texts = message.reasoning_details, (message.reasoning_content, message.reasoning)
        if details is NULL and texts == (NULL, NULL):
            return items
        self.echoes = True
        reasoned = self._reasoned(details)
        if not reasoned:
            self._note("reasoning_content", texts[0])
            self._note("reasoning", texts[1])
            return items
        rest, merged = iter(items), list[bytes]()
        for position, item in reasoned:
            while len(merged) < position and (following := next(rest, None)) is not None:
                merged.append(following)
            merged.append(item)
        return [*merged, *rest]

    def _reasoned(self, raw: Raw) -> list[Reasoned]:
        """Return the reasoning items among the details of a message, in their order.

        What a Responses upstream did not encrypt, none can read: that is left out, and named.
        """
        if raw is NULL or bytes(raw) == _NULL:
            return []
        encrypted: list[Detail] = []
        summaries: dict[int | None, list[bytes]] = {}
        known = DETAILS.decode(bytes(raw), "reasoning_details", self._dropped)
        details = [piece for each in known for piece in _apart(each)]
        are_joined = {each.index for each in known if _is_joined(each)}
        for each in details:
            if each.format != FORMAT:
                continue
            if each.type == "reasoning.encrypted" and _is_text(each.data):
                encrypted.append(each)
            elif each.type == "reasoning.summary" and _is_text(each.summary):
                part = b'{"type":"summary_text","text":%b}' % each.summary
                summaries.setdefault(each.index, []).append(part)
        said = sum(len(summaries.get(index, ())) for index in {each.index for each in encrypted})
        if len(encrypted) + said < len(details):
            self._dropped.add("messages.reasoning_details")
        encrypted.sort(key=lambda each: each.index or 0)
        for index in are_joined - {each.index for each in encrypted if _needs_words(each)}:
            summaries.pop(index, None)
        return [
            Reasoned(each.index or 0, _reasoning(each, summaries.get(each.index, ())))
            for each in encrypted
        ]

    def _result(self, message: Message) -> None:
        call_id = short_id(text(message.tool_call_id, "tool_call_id"))
        kind = b"custom_tool_call" if call_id in self._custom else b"function_call"
        self._return(kind, call_id, message)

    def _legacy_result(self, message: Message) -> None:
        """Pair a result that only names its function with the last open call of that name."""
        name = text(message.name, "name")
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == name:
                self._return(b"function_call", self._open.pop(at)[1], message)
                return
        raise invalid("name", "names no function that was called before and is open")

    def _return(self, kind: bytes, call_id: bytes, message: Message) -> None:
        members = kind, call_id, self._output(bytes(message.content))
        self.items.append(b'{"type":"%b_output","call_id":%b,"output":%b}' % members)

    def _output(self, raw: bytes) -> bytes:
        """Return a result: a text, also where it is one part, or its parts."""
        if raw[:1] != b"[":
            return text(raw, "content")
        spelled = self._parts(raw, _asked_part)
        if len(spelled) == 1 and (alone := _TEXT_ALONE.fullmatch(spelled[0])):
            return alone[1]
        return b"[%b]" % b",".join(spelled) if spelled else _EMPTY


def _asked_part(part: Part, dropped: set[str]) -> bytes:
    match part.type:
        case "text":
            return _text_part(part, dropped)
        case "image_url":
            return _image_part(part, dropped)
        case "file":
            return _file_part(part, dropped)
        case "input_audio":
            return _audio_part(part, dropped)
        case kind:
            raise no_equivalent("type", f"is '{kind[:40]}', which other APIs have no words for")


def _spoken(name: bytes, value: bytes) -> bytes:
    kind = b"output_text" if name == b"text" else name
    return b"" if value == _EMPTY else b'{"type":"%b","%b":%b}' % (kind, name, value)


def _answered_part(part: Part, _dropped: set[str]) -> bytes:
    if part.type in ("text", "output_text"):
        return _spoken(b"text", text(part.text, "text"))
    if part.type == "refusal":
        return _spoken(b"refusal", text(part.refusal, "refusal"))
    raise invalid("type", "must be one of text, refusal")


def _text_part(part: Part, _dropped: set[str]) -> bytes:
    if part.type != "text":
        raise invalid("type", "must be text")
    return _with_breakpoint(part, b'"type":"input_text","text":' + text(part.text, "text"))


def _image_part(part: Part, dropped: set[str]) -> bytes:
    if part.image_url is ABSENT:
        raise invalid("image_url", "is required")
    raw = bytes(part.image_url)
    is_url = raw[:1] == b'"'
    image = Image(part.image_url) if is_url else IMAGE.decode(raw, "image_url", dropped)
    detail = bytes(image.detail)
    detail = b'"auto"' if detail == _NULL else text(detail, "image_url.detail")
    members = text(image.url, "image_url.url"), detail
    return _with_breakpoint(part, b'"type":"input_image","image_url":%b,"detail":%b' % members)


def _audio_part(part: Part, dropped: set[str]) -> bytes:
    if part.input_audio is ABSENT:
        raise invalid("input_audio", "is required")
    audio = AUDIO.decode(bytes(part.input_audio), "input_audio", dropped)
    members = text(audio.data, "input_audio.data"), text(audio.format, "input_audio.format")
    return b'{"type":"input_audio","input_audio":{"data":%b,"format":%b}}' % members


def _file_part(part: Part, dropped: set[str]) -> bytes:
    if part.file is ABSENT:
        raise invalid("file", "is required")
    file = FILE.decode(bytes(part.file), "file", dropped)
    said = b'"type":"input_file"'
    for name in ("file_id", "file_data", "filename"):
        value = bytes(getattr(file, name))
        if value != _NULL:
            said += b',"%b":%b' % (name.encode(), text(value, "file", name))
    return _with_breakpoint(part, said)


def _with_breakpoint(part: Part, members: bytes) -> bytes:
    breakpoint_ = bytes(part.prompt_cache_breakpoint)
    if breakpoint_ != _NULL:
        members += b',"prompt_cache_breakpoint":' + breakpoint_
    return b"{%b}" % members


def _is_text(raw: Raw) -> bool:
    value = bytes(raw)
    return value[:1] == b'"' and value != _EMPTY


def _is_joined(detail: Detail) -> bool:
    """Whether a client has put details together, for they have one index.

    OpenAI's own does so where it reads a stream: texts are joined, names stand there repeatedly.
    """
    times = len(detail.format or "") // len(FORMAT)
    return times > 1 and detail.format == FORMAT * times


def _apart(detail: Detail) -> Iterator[Detail]:
    """Return the details that were put together, but for the borders of their texts."""
    if not _is_joined(detail):
        yield detail
        return
    times = len(detail.format or "") // len(FORMAT)
    own_id = detail.id[: len(detail.id) // times] if detail.id else None
    if _is_text(detail.summary):
        yield Detail("reasoning.summary", FORMAT, own_id, detail.index, summary=detail.summary)
    if _is_text(detail.data):
        yield Detail("reasoning.encrypted", FORMAT, own_id, detail.index, data=detail.data)


def _needs_words(encrypted: Detail) -> bool:
    """Whether reasoning is sent back with its words, even if the borders between them are lost."""
    return is_translated(bytes(encrypted.data))


def _reasoning(encrypted: Detail, summary: Sequence[bytes]) -> bytes:
    own_id = b'"id":%b,' % msgspec.json.encode(encrypted.id) if encrypted.id else b""
    return b'{"type":"reasoning",%b"summary":[%b],"encrypted_content":%b}' % (
        own_id,
        b",".join(summary),
        unmarked(bytes(encrypted.data)),
    )
