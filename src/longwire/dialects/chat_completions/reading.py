"""An answer of Chat Completions read as events of the Responses API, whatever vendor it comes from.

Law: however a stream is cut, the same events come of it. It ends with `[DONE]` or with its body,
since its usage may come behind the reason why it ended, or never.
"""

import re
from typing import Final

import msgspec

from longwire.core.events import Event
from longwire.core.sse import Decoder
from longwire.dialects.chat_completions.bill import usage_beside, usage_of
from longwire.dialects.chat_completions.chunks import (
    Choice,
    Chunk,
    count_in,
    decode_any,
    decode_chunk,
    decode_text,
    text_in,
)
from longwire.dialects.chat_completions.composer import AnswerForm, Composer
from longwire.dialects.chat_completions.finish import INCOMPLETE
from longwire.dialects.chat_completions.plain import PlainChunks
from longwire.dialects.ports import Fallback
from longwire.dialects.raw_json import NULL
from longwire.dialects.responses.errors import is_error
from longwire.dialects.responses.output import Output
from longwire.dialects.responses.writer import ResponseWriter

_DONE: Final = b"[DONE]"
_NULL: Final = bytes(NULL)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")
_STREAM: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:")
_BROKEN: Final = frozenset({"error", "network_error", "insufficient_system_resource"})
"""Reasons that are faults of the upstream's: OpenRouter's, GLM's and DeepSeek's words."""


class ChatReading:
    """Reads one answer."""

    def __init__(self, form: AnswerForm, fallback: Fallback) -> None:
        self._form = form
        self._fallback = fallback
        self._decoder = Decoder()
        self._output = Output(form.echo)
        writer = ResponseWriter(self._output)
        self._composer = Composer(form, writer)
        self._plain = PlainChunks()
        self._usage = NULL
        self._reason = ""
        self._has_ended = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Read more of a stream, cut anywhere. Raises `ValueError` for an event too large."""
        for name, data in self._decoder.feed(chunk):
            if not self._has_ended:
                self._read(name, data)
        return self._output.take()

    def end(self) -> list[Event]:
        """Read the end of a stream, which is one where a reason for it came.

        Without that the answer is broken off, unless its vendor never says why it ends.
        """
        is_whole = self._reason or not self._form.profile.needs_finish
        if not self._has_ended and self._output.response_id and is_whole:
            self._finish()
        return self._output.take()

    def whole(self, body: bytes) -> list[Event]:
        """Read an answer that comes whole; some stream without saying so."""
        if _STREAM.match(body):
            return [*self.feed(body), *self.feed(b"\n\n"), *self.end()]
        self._read("", body)
        if not self._has_ended and self._output.response_id:
            self._finish()
        elif not self._has_ended:
            self._fail(_said("The upstream's answer has no choice."))
        return self._output.take()

    def _read(self, name: str, data: bytes) -> None:
        plain = self._plain
        text = plain.text_in(data)
        if text:
            self._composer.add_plain(plain.member, text)
            return
        if data == _DONE or not data or data.isspace():
            if data and self._output.response_id:
                self._finish()
            return
        try:
            chunk = decode_chunk(data)
            if name == "error" or _is_failure(chunk, data):
                self._fail(bytes(chunk.error) if chunk.error is not NULL else data)
            else:
                self._take(chunk)
                if self._composer.passes_texts:
                    plain.learn(data, chunk)
        except (msgspec.MsgspecError, RecursionError) as error:
            if is_error(data):
                self._fail(data)
            else:
                self._fail(_said(f"The upstream sent what is no answer: {error}."))

    def _take(self, chunk: Chunk) -> None:
        if chunk.usage is not NULL and bytes(chunk.usage) != _NULL:
            self._usage = chunk.usage
        elif chunk.x_groq is not NULL and self._usage is NULL:
            self._usage = usage_beside(chunk.x_groq)
        if not self._output.response_id:
            self._open(chunk)
        for choice in chunk.choices or ():
            if bytes(choice.index) in (b"0", _NULL) and not self._has_ended:
                self._choose(choice)

    def _open(self, chunk: Chunk) -> None:
        """Begin with the first chunk that says who answers; Azure's first one does not."""
        own_id = text_in(chunk.id)
        if not own_id and not chunk.choices:
            return
        safe = _UNSAFE.sub("", decode_text(own_id)) if own_id else ""
        created = count_in(decode_any(chunk.created)) or self._fallback.created_at
        model = text_in(chunk.model) or self._form.model
        self._output.open(f"resp_{safe or self._fallback.id}", model, created)

    def _choose(self, choice: Choice) -> None:
        if choice.error is not NULL and bytes(choice.error) != _NULL:
            self._fail(bytes(choice.error))
            return
        delta = choice.delta or choice.message
        if delta is not None:
            self._composer.add(delta, choice.logprobs)
        reason = text_in(choice.finish_reason)
        if reason:
            self._reason = decode_text(reason)
        if self._reason in _BROKEN:
            self._fail(_said(f"The upstream broke its answer off: {self._reason}."))

    def _finish(self) -> None:
        incomplete = INCOMPLETE.get(self._reason, "")
        fault = self._composer.end(is_cut=bool(incomplete))
        if fault:
            self._fail(_said(fault))
            return
        usage = usage_of(self._usage, self._form.profile)
        if incomplete:
            details = msgspec.json.encode({"reason": incomplete})
            self._output.close("incomplete", usage, details=details)
        else:
            self._output.close("completed", usage)
        self._has_ended = True

    def _fail(self, error: bytes) -> None:
        self._output.break_off(b'{"type":"error","error":%b}' % error)
        self._has_ended = True


def _is_failure(chunk: Chunk, data: bytes) -> bool:
    """Whether an event is an error; vLLM writes the whole envelope in place of an answer."""
    if chunk.error is not NULL and bytes(chunk.error) != _NULL:
        return True
    return chunk.choices is None and chunk.usage is NULL and is_error(data)


def _said(message: str) -> bytes:
    return msgspec.json.encode({"message": message, "type": "upstream_error"})
