"""Contents of a conversation as items of the Responses API.

Law: the same contents give the same bytes, and a stream replayed chunk by chunk gives what its
whole gives: texts of the model that follow one another are one message.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.errors import InvalidRequest
from longwire.dialects.fields import invalid, text
from longwire.dialects.generate_content.calls import Calls, upstream_name
from longwire.dialects.generate_content.media import file_part, inline_part
from longwire.dialects.generate_content.signatures import NOTHING, Signature, opened
from longwire.dialects.generate_content.wire import (
    CONTENTS,
    OF_SERVERS,
    PARTS,
    Blob,
    Content,
    FunctionCall,
    FunctionResponse,
    Part,
    RemoteFile,
    camel,
    has_text,
    listed,
)
from longwire.dialects.raw_json import NULL, split_members, tolerant
from longwire.dialects.repeats import compact

_EMPTY: Final = b'""'
_BARE: Final = frozenset({"output", "result", "content", "return_value"})
"""A lone text under one of these names is all that a function has said."""
_IN_JSON: Final = b'{"type":"input_text","text":"Answer with a JSON object."}'


class _Part(msgspec.Struct):
    text: Raw = NULL


class _Message(msgspec.Struct):
    content: Sequence[_Part] = ()


_decode_message: Final = tolerant(msgspec.json.Decoder(_Message).decode)
_encode: Final = msgspec.json.Encoder().encode


class Contents:
    """Collects the items of contents, one after another.

    `originals` has the names of functions that are sent by others, `dropped` names what is left
    out. A `refusal` says what would change the answer, and cannot be said. So many items are
    `before_model` where the model has the last word; the user's is `silent`, by its place, where
    nothing of it is left.
    """

    def __init__(self, originals: dict[str, str], dropped: set[str]) -> None:
        self.items: list[bytes] = []
        self.leading = 0
        self.refusal: InvalidRequest | None = None
        self.ends_with_model = False
        self.silent = ""
        self.before_model = 0
        self._originals = originals
        self._dropped = dropped
        self._calls = Calls()
        self._said: list[bytes] = []
        self._phase: str | None = None

    def instruct(self, raw: bytes) -> None:
        """Add the system instruction. Raises `InvalidRequest`."""
        if raw[:1] == b'"':
            raw = b'{"parts":[{"text":%b}]}' % raw
        (content,) = CONTENTS.decode(listed(raw), "systemInstruction", self._dropped)
        said = self._user_parts(
            self._parts(content, "systemInstruction"), "systemInstruction.parts"
        )
        self._say(b"developer", said)
        self.leading = len(self.items)

    def read(self, raw: bytes) -> None:
        """Read contents. Raises `InvalidRequest`, which names the field."""
        for at, content in enumerate(
            CONTENTS.decode(compact(listed(raw)), "contents", self._dropped)
        ):
            place = f"contents.{at}"
            parts = self._parts(content, place)
            self.ends_with_model = content.role == "model"
            if self.ends_with_model:
                for number, part in enumerate(parts):
                    self._answer(part, f"{place}.parts.{number}")
            elif content.role in (None, "", "user", "function"):
                self._end_message()
                count = len(self.items)
                self._say(b"user", self._user_parts(parts, f"{place}.parts"))
                is_result = any(part.function_response is not None for part in parts)
                self.silent = "" if is_result or len(self.items) > count else place
                self.before_model = len(self.items)
            else:
                raise invalid(f"{place}.role", "must be user or model")
        self._end_message()

    def ask_for_json(self) -> None:
        """Instruct the model to write JSON, unless the first words do.

        OpenAI takes the format of an object only where a message has that word. Whether one is
        added depends on what every later turn of the conversation begins with, too.
        """
        if not any(map(_speaks_of_json, self.items[: self.leading + 1])):
            said = b'{"type":"message","role":"developer","content":[%b]}' % _IN_JSON
            self.items.insert(self.leading, said)
            self.leading += 1

    def _parts(self, content: Content, at: str) -> Sequence[Part]:
        raw = bytes(content.parts)
        return [] if raw == b"null" else PARTS.decode(listed(raw), f"{at}.parts", self._dropped)

    def _say(self, role: bytes, parts: Sequence[bytes]) -> None:
        if parts:
            joined = b",".join(parts)
            self.items.append(b'{"type":"message","role":"%b","content":[%b]}' % (role, joined))

    def _user_parts(self, parts: Sequence[Part], at: str) -> list[bytes]:
        """Return the parts of a message, and add the answers of functions before them."""
        said: list[bytes] = []
        for number, part in enumerate(parts):
            place = f"{at}.{number}"
            if part.function_response is not None:
                self._say(b"user", said)
                said = []
                self._respond(part.function_response, f"{place}.functionResponse")
            elif has_text(part):
                words = text(part.text, place, "text")
                said += [b'{"type":"input_text","text":%b}' % words] if words != _EMPTY else []
            elif part.function_call is not None:
                raise invalid(f"{place}.functionCall", "is the model's; its role must be model")
            elif part.inline_data is not None or part.file_data is not None:
                said += self._media(part.inline_data, part.file_data, place)
            else:
                self._leave_out(part, place)
        return said

    def _media(self, blob: Blob | None, file: RemoteFile | None, at: str) -> list[bytes]:
        """Return data or a file as a part, and nothing for what can be said in this API alone."""
        try:
            if blob is not None:
                return [inline_part(blob, f"{at}.inlineData")]
            return [file_part(file or RemoteFile(), f"{at}.fileData")]
        except InvalidRequest as error:
            self._refuse(error, f"contents.parts.{'inlineData' if blob else 'fileData'}")
            return []

    def _refuse(self, error: InvalidRequest, name: str) -> None:
        self.refusal = self.refusal or error
        self._dropped.add(name)

    def _leave_out(self, part: Part, at: str) -> None:
        for name in OF_SERVERS:
            if bytes(getattr(part, name)) != b"null":
                fault = "is of a tool that runs on Google's servers; send its content as text"
                self._refuse(invalid(f"{at}.{camel(name)}", fault), f"contents.parts.{camel(name)}")

    def _respond(self, response: FunctionResponse, at: str) -> None:
        if not response.name:
            raise invalid(f"{at}.name", "is required")
        output = _output(bytes(response.response), at)
        if response.parts:
            media = [
                said
                for number, part in enumerate(response.parts)
                for said in self._media(part.inline_data, part.file_data, f"{at}.parts.{number}")
            ]
            output = b"[%b]" % b",".join([b'{"type":"input_text","text":%b}' % output, *media])
        item = self._calls.answered(response.name, response.id, output, at)
        if item is not None:
            self.items.append(item)

    def _answer(self, part: Part, at: str) -> None:
        """Add a part of the model's."""
        signature = self._opened(part)
        if signature.r:
            self._end_message()
            self.items += [each.item() for each in signature.r]
        if part.function_call is not None:
            self._end_message()
            self.items.append(self._call(part.function_call, signature.c, f"{at}.functionCall"))
        elif part.thought:
            pass  # it is what a client was shown of reasoning: that travels sealed
        elif has_text(part):
            words = text(part.text, at, "text")
            if words != _EMPTY:
                self._phase = self._phase if self._said else signature.n
                self._said.append(words[1:-1])
        elif part.inline_data is not None or part.file_data is not None:
            fault = "is media of the model's, which cannot be sent back here; leave it out"
            self._refuse(invalid(at, fault), "contents.parts.inlineData")
        else:
            self._leave_out(part, at)

    def _opened(self, part: Part) -> Signature:
        if not part.thought_signature:
            return NOTHING
        signature = opened(part.thought_signature)
        if signature is None:
            self._dropped.add("contents.parts.thoughtSignature")
            return NOTHING
        return signature

    def _call(self, call: FunctionCall, own_id: str, at: str) -> bytes:
        if not call.name:
            raise invalid(f"{at}.name", "is required")
        arguments = bytes(call.args)
        if arguments == b"null":
            arguments = b"{}"
        elif arguments[:1] != b"{":
            raise invalid(f"{at}.args", "must be an object")
        name = upstream_name(call.name)
        if name != call.name:
            self._originals[name] = call.name
        return b'{"type":"function_call","call_id":%b,"name":%b,"arguments":%b}' % (
            self._calls.called(call.name, call.id, own_id),
            _encode(name),
            _encode(arguments.decode("utf-8", "replace")),
        )

    def _end_message(self) -> None:
        if self._said:
            phase = b'"phase":%b,' % _encode(self._phase) if self._phase is not None else b""
            self.items.append(
                b'{"type":"message","role":"assistant",%b"content":'
                b'[{"type":"output_text","text":"%b"}]}' % (phase, b"".join(self._said))
            )
            self._said.clear()
        self._phase = None


def _speaks_of_json(item: bytes) -> bool:
    content = _decode_message(item).content
    return any(b"json" in bytes(part.text).lower() for part in content)


def _output(response: bytes, at: str) -> bytes:
    """Return what a function returned as a raw JSON text: a lone text is that, without its name."""
    if response == b"null":
        return _EMPTY
    if response[:1] != b"{":
        raise invalid(f"{at}.response", "must be an object")
    members = split_members(response)
    if len(members) == 1 and (name := next(iter(members))) in _BARE:
        value = bytes(members[name])
        if value[:1] == b'"':
            return value
    return _encode(response.decode("utf-8", "replace"))
