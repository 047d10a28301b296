"""Messages of a conversation as items of the Responses API.

Law: the same messages give the same bytes. Texts and arguments are the client's own bytes; a text
alone is one part; nothing has an id but what the client says of reasoning.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
from msgspec import Raw

from longwire.dialects.chat_completions.errors import decoded, invalid, text
from longwire.dialects.chat_completions.names import short_id, short_name
from longwire.dialects.chat_completions.wire import (
    MESSAGES,
    NULL,
    PARTS,
    Call,
    Detail,
    File,
    Function,
    Image,
    Message,
    Part,
)

FORMAT = "openai-responses-v1"
"""What details of reasoning are called that a Responses upstream can read."""

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_EMPTY = b'""'
_NULL = bytes(NULL)
_INPUT_TEXT = b'{"type":"input_text","text":%b}'
_decode_details = msgspec.json.Decoder(list[Detail]).decode
_decode_image = msgspec.json.Decoder(Image).decode
_decode_file = msgspec.json.Decoder(File).decode


class Reasoned(NamedTuple):
    """A reasoning item, and where it stands among the items of its answer."""

    position: int
    item: bytes


class ItemReader:
    """Turns messages into items, one after another.

    `leading` counts the items of the system and developer messages that come first; `originals`
    has the names that were too long, by those sent instead; `dropped` names what is left out.
    A client `echoes` reasoning that sends any back: it understands what it is shown of it.
    """

    def __init__(self, originals: dict[str, str], dropped: set[str]) -> None:
        self.items: list[bytes] = []
        self.leading = 0
        self.echoes = False
        self._originals = originals
        self._dropped = dropped
        self._custom: set[bytes] = set()
        self._open: list[tuple[bytes, bytes]] = []
        self._legacy_calls = 0
        self._by_role: dict[str, Callable[[Message, str], None]] = {
            "system": self._instruct,
            "developer": self._instruct,
            "user": self._ask,
            "assistant": self._answer,
            "tool": self._result,
            "function": self._legacy_result,
        }

    def read(self, raw: bytes) -> None:
        """Read an array of messages. Raises `InvalidRequest`, which names the field."""
        is_leading = True
        for at, message in enumerate(MESSAGES.decode(raw, "messages", self._dropped)):
            path = f"messages.{at}"
            read = self._by_role.get(message.role)
            if read is None:
                raise invalid(f"{path}.role", f"must be one of {', '.join(_ROLES)}")
            if message.name is not NULL and message.role != "function":
                self._note("name", message.name)
            is_leading = is_leading and message.role in ("system", "developer")
            read(message, path)
            if is_leading:
                self.leading = len(self.items)

    def _note(self, name: str, value: Raw) -> None:
        if bytes(value) not in (_NULL, b"[]", _EMPTY):
            self._dropped.add(f"messages.{name}")

    def _instruct(self, message: Message, path: str) -> None:
        raw = bytes(message.content)
        content = self._text_content(raw, f"{path}.content")
        if content:
            self._say(message.role.encode(), content)

    def _ask(self, message: Message, path: str) -> None:
        raw, path = bytes(message.content), f"{path}.content"
        if raw[:1] != b"[":
            self._say(b"user", _INPUT_TEXT % text(raw, path))
            return
        parts = PARTS.decode(raw, path, self._dropped)
        spelled = [self._asked_part(part, f"{path}.{at}") for at, part in enumerate(parts)]
        if spelled:
            self._say(b"user", b",".join(spelled))

    def _say(self, role: bytes, content: bytes) -> None:
        self.items.append(b'{"type":"message","role":"%b","content":[%b]}' % (role, content))

    def _text_content(self, raw: bytes, path: str) -> bytes:
        """Return a content that is text alone, as parts."""
        if raw[:1] != b"[":
            return _INPUT_TEXT % text(raw, path)
        return b",".join(self._texts(raw, path))

    def _texts(self, raw: bytes, path: str) -> list[bytes]:
        parts = PARTS.decode(raw, path, self._dropped)
        return [_text_part(part, f"{path}.{at}") for at, part in enumerate(parts)]

    def _asked_part(self, part: Part, path: str) -> bytes:
        match part.type:
            case "text":
                return _text_part(part, path)
            case "image_url":
                return _image_part(part, path)
            case "file":
                return _file_part(part, path)
            case "input_audio":
                raise invalid(path, "is audio, which the Responses API does not take; send text")
            case _:
                raise invalid(f"{path}.type", "must be one of text, image_url, file")

    def _answer(self, message: Message, path: str) -> None:
        if bytes(message.audio) != _NULL:
            raise invalid(f"{path}.audio", "cannot be sent to the Responses API; send its text")
        self._note("annotations", message.annotations)
        said = self._answered_content(message, f"{path}.content")
        items: list[bytes] = []
        if said:
            content = b",".join(said)
            items.append(b'{"type":"message","role":"assistant","content":[%b]}' % content)
        for at, call in enumerate(message.tool_calls or ()):
            items.append(self._call(call, f"{path}.tool_calls.{at}"))
        if message.function_call is not None:
            items.append(self._legacy_call(message.function_call, f"{path}.function_call"))
        self.items += self._with_reasoning(items, message, path)

    def _answered_content(self, message: Message, path: str) -> list[bytes]:
        raw = bytes(message.content)
        said: list[bytes] = []
        if raw[:1] == b"[":
            for at, part in enumerate(PARTS.decode(raw, path, self._dropped)):
                said += _answered_part(part, f"{path}.{at}")
        elif raw != _NULL:
            said += _spoken(b"output_text", b"text", text(raw, path))
        if message.refusal is not NULL and bytes(message.refusal) != _NULL:
            refusal = text(message.refusal, f"{path.removesuffix('content')}refusal")
            said += _spoken(b"refusal", b"refusal", refusal)
        return said

    def _call(self, call: Call, path: str) -> bytes:
        call_id = short_id(text(call.id, f"{path}.id"))
        if call.custom is not None and call.type in (None, "custom"):
            self._custom.add(call_id)
            name = short_name(text(call.custom.name, f"{path}.custom.name"), self._originals)
            value = text(call.custom.input, f"{path}.custom.input")
            return b'{"type":"custom_tool_call","call_id":%b,"name":%b,"input":%b}' % (
                call_id,
                name,
                value,
            )
        if call.function is None:
            wanted = "custom" if call.type == "custom" else "function"
            raise invalid(f"{path}.{wanted}", "is required")
        if call.type not in (None, "function"):
            raise invalid(f"{path}.type", "must be one of function, custom")
        return self._function_call(call_id, call.function, f"{path}.function")

    def _function_call(self, call_id: bytes, function: Function, path: str) -> bytes:
        name = short_name(text(function.name, f"{path}.name"), self._originals)
        arguments = text(function.arguments, f"{path}.arguments")
        return b'{"type":"function_call","call_id":%b,"name":%b,"arguments":%b}' % (
            call_id,
            name,
            arguments,
        )

    def _legacy_call(self, function: Function, path: str) -> bytes:
        """Return a call of the API's first form, which has no id: its place makes one."""
        call_id = b'"call_function_%d"' % self._legacy_calls
        self._legacy_calls += 1
        self._open.append((text(function.name, f"{path}.name"), call_id))
        return self._function_call(call_id, function, path)

    def _with_reasoning(self, items: list[bytes], message: Message, path: str) -> list[bytes]:
        for name in ("reasoning_content", "reasoning", "reasoning_details"):
            self.echoes = self.echoes or bytes(getattr(message, name)) != _NULL
        reasoned = _reasoned(message.reasoning_details, f"{path}.reasoning_details")
        if not reasoned:
            for name in ("reasoning_content", "reasoning"):
                self._note(name, getattr(message, name))
            return items
        rest, merged = iter(items), list[bytes]()
        for position, item in reasoned:
            while len(merged) < position and (following := next(rest, None)) is not None:
                merged.append(following)
            merged.append(item)
        return [*merged, *rest]

    def _result(self, message: Message, path: str) -> None:
        call_id = short_id(text(message.tool_call_id, f"{path}.tool_call_id"))
        kind = b"custom_tool_call" if call_id in self._custom else b"function_call"
        self._return(kind, call_id, message, path)

    def _legacy_result(self, message: Message, path: str) -> None:
        """Pair a result that only names its function with the last open call of that name."""
        name = text(message.name, f"{path}.name")
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == name:
                self._return(b"function_call", self._open.pop(at)[1], message, path)
                return
        raise invalid(f"{path}.name", "names no function that was called before and is open")

    def _return(self, kind: bytes, call_id: bytes, message: Message, path: str) -> None:
        output = self._output(bytes(message.content), f"{path}.content")
        item = b'{"type":"%b_output","call_id":%b,"output":%b}' % (kind, call_id, output)
        self.items.append(item)

    def _output(self, raw: bytes, path: str) -> bytes:
        """Return a result: a text, also where it is one part, or its parts."""
        if raw[:1] != b"[":
            return text(raw, path)
        parts = PARTS.decode(raw, path, self._dropped)
        if not parts:
            return _EMPTY
        if len(parts) == 1 and parts[0].type == "text" and parts[0].prompt_cache_breakpoint is NULL:
            return text(parts[0].text, f"{path}.0.text")
        spelled = (self._asked_part(part, f"{path}.{at}") for at, part in enumerate(parts))
        return b"[%b]" % b",".join(spelled)


def _spoken(kind: bytes, name: bytes, value: bytes) -> list[bytes]:
    return [] if value == _EMPTY else [b'{"type":"%b","%b":%b}' % (kind, name, value)]


def _answered_part(part: Part, path: str) -> list[bytes]:
    if part.type in ("text", "output_text"):
        return _spoken(b"output_text", b"text", text(part.text, f"{path}.text"))
    if part.type == "refusal":
        return _spoken(b"refusal", b"refusal", text(part.refusal, f"{path}.refusal"))
    raise invalid(f"{path}.type", "must be one of text, refusal")


def _text_part(part: Part, path: str) -> bytes:
    if part.type != "text":
        raise invalid(f"{path}.type", "must be text")
    return _with_breakpoint(part, b'"type":"input_text","text":' + text(part.text, f"{path}.text"))


def _image_part(part: Part, path: str) -> bytes:
    path = f"{path}.image_url"
    raw = bytes(part.image_url)
    image = Image(part.image_url) if raw[:1] == b'"' else decoded(_decode_image, raw, path)
    detail = bytes(image.detail)
    detail = b'"auto"' if detail == _NULL else text(detail, f"{path}.detail")
    url = text(image.url, f"{path}.url")
    return _with_breakpoint(
        part, b'"type":"input_image","image_url":%b,"detail":%b' % (url, detail)
    )


def _file_part(part: Part, path: str) -> bytes:
    path = f"{path}.file"
    file = decoded(_decode_file, part.file, path)
    said = b'"type":"input_file"'
    for name in ("file_id", "file_data", "filename"):
        value = bytes(getattr(file, name))
        if value != _NULL:
            said += b',"%b":%b' % (name.encode(), text(value, f"{path}.{name}"))
    return _with_breakpoint(part, said)


def _with_breakpoint(part: Part, members: bytes) -> bytes:
    breakpoint_ = bytes(part.prompt_cache_breakpoint)
    if breakpoint_ != _NULL:
        members += b',"prompt_cache_breakpoint":' + breakpoint_
    return b"{%b}" % members


def _reasoned(raw: Raw, path: str) -> list[Reasoned]:
    """Return the reasoning items among the details of a message, in their order.

    What a Responses upstream did not encrypt, none can read: that is left out.
    """
    if raw is NULL or bytes(raw) == _NULL:
        return []
    details = decoded(_decode_details, raw, path)
    ours = [each for each in details if each.format == FORMAT]
    sealed = [each for each in ours if each.type == "reasoning.encrypted"]
    sealed.sort(key=lambda each: each.index or 0)
    return [Reasoned(each.index or 0, _reasoning(each, ours)) for each in sealed if _is_whole(each)]


def _is_whole(detail: Detail) -> bool:
    return bytes(detail.data)[:1] == b'"'


def _reasoning(sealed: Detail, details: Iterable[Detail]) -> bytes:
    said = [
        b'{"type":"summary_text","text":%b}' % each.summary
        for each in details
        if each.type == "reasoning.summary"
        and each.index == sealed.index
        and bytes(each.summary)[:1] == b'"'
    ]
    own_id = b'"id":%b,' % msgspec.json.encode(sealed.id) if sealed.id else b""
    return b'{"type":"reasoning",%b"summary":[%b],"encrypted_content":%b}' % (
        own_id,
        b",".join(said),
        sealed.data,
    )
