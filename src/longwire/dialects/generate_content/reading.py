"""Gemini's answers, read as events of the Responses API.

Law: a body cut anywhere gives the same events; nothing that the model made is lost silently.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from blake3 import blake3
from msgspec import Raw

from longwire.core import sse
from longwire.core.events import Event, Kind
from longwire.dialects.client_tools import FUNCTION, Declared
from longwire.dialects.generate_content.call_items import ISSUER
from longwire.dialects.generate_content.chunks import (
    Blob,
    Candidate,
    Chunk,
    FunctionCall,
    Grounding,
    Part,
    UsageMetadata,
    decode_chunk,
)
from longwire.dialects.generate_content.composer import Composer
from longwire.dialects.generate_content.finish import (
    COMPLETED,
    INCOMPLETE,
    failure_message,
    merged,
    usage_of,
)
from longwire.dialects.generate_content.grounding import citations, search_of
from longwire.dialects.generate_content.log_probabilities import logprobs_of
from longwire.dialects.generate_content.reading_calls import OpenCall
from longwire.dialects.passing import LARGEST
from longwire.dialects.ports import Fallback
from longwire.dialects.raw_json import NULL, split_items
from longwire.dialects.responses.errors import MALFORMED
from longwire.dialects.responses.output import Output, echo_of
from longwire.dialects.responses.stream import MalformedEvent
from longwire.dialects.responses.writer import ResponseWriter
from longwire.dialects.seals import Seal, sealed

_encode: Final = msgspec.json.Encoder().encode
_NULL: Final = b"null"
_EMPTY: Final = b'""'
_QUOTE: Final = b'"'
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")
_NO_DATA: Final = (b"", b"[DONE]")
_BLOCKED: Final = Candidate(finish_reason="SAFETY")
"""What ends the answer to a prompt that was blocked."""

_DIGEST_SIZE: Final = 12
_LONGEST_ID: Final = 40
"""A longer id of a response is its digest, for those of its items begin with it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer must know of its request.

    `echo` is what it repeats of it, `model` the model's name as raw JSON; `declared` has the
    client's own tools by the names that they were declared by.
    """

    echo: bytes = echo_of({})
    model: bytes = b'""'
    declared: Mapping[str, Declared] = field(default_factory=dict)


class GeneratedAnswer:
    """Reads one answer."""

    def __init__(self, answered: Answered, fallback: Fallback) -> None:
        self._answered = answered
        self._fallback = fallback
        self._decoder = sse.Decoder()
        self._output = Output(answered.echo)
        writer = ResponseWriter(self._output)
        self._composer = Composer(writer)
        self._call: OpenCall | None = None
        self._calls = 0
        self._counts: list[UsageMetadata] = []
        self._grounding: Grounding | None = None
        self._finish: Candidate | None = None
        self._is_over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Read more of a stream. Raises `ValueError` for what is too large, or no JSON."""
        events: list[Event] = []
        for _, data in self._decoder.feed(chunk):
            if data.strip() not in _NO_DATA:
                events += self._read(data)
        return events

    def end(self) -> list[Event]:
        """Read the end of a stream: only now is it sure that nothing follows.

        Some models give a reason to every chunk, and count anew in each.
        """
        if self._finish is not None and not self._is_over:
            self._end()
        return self._output.take()

    def whole(self, body: bytes) -> list[Event]:
        """Read an answer that comes whole, or as the array of all chunks."""
        try:
            chunks = split_items(body) if body.lstrip()[:1] == b"[" else [Raw(body)]
        except msgspec.MsgspecError as error:
            raise MalformedEvent(str(error)) from error
        return [event for chunk in chunks for event in self._read(chunk)] + self.end()

    def _read(self, data: bytes | Raw) -> list[Event]:
        if self._is_over:
            return []
        try:
            chunk = decode_chunk(data)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise MalformedEvent(str(error)) from error
        if bytes(chunk.error) != _NULL:
            self._is_over = True
            raw = b'{"type":"error","error":%b}' % bytes(chunk.error)
            return [Event(Kind.ERROR, "error", raw)]
        self._take(chunk)
        return self._output.take()

    def _take(self, chunk: Chunk) -> None:
        feedback = chunk.prompt_feedback
        is_blocked = feedback is not None and feedback.block_reason is not None
        if not chunk.candidates and not is_blocked and chunk.usage_metadata is None:
            return
        if not self._output.response_id:
            self._open(chunk)
        if chunk.usage_metadata is not None:
            self._counts.append(chunk.usage_metadata)
        for candidate in chunk.candidates or ():
            if not candidate.index:
                self._take_candidate(candidate)
        if is_blocked and not chunk.candidates:
            self._note_finish(_BLOCKED)

    def _usage(self) -> bytes:
        """Return `usage`, of all counts so far, as raw JSON."""
        return usage_of(merged(self._counts))

    def _open(self, chunk: Chunk) -> None:
        own = own_id(chunk.response_id or self._fallback.id)
        model = _encode(chunk.model_version) if chunk.model_version else self._answered.model
        created_at = chunk.created_at or self._fallback.created_at
        self._output.open(f"resp_{own}", model, created_at)

    def _take_candidate(self, candidate: Candidate) -> None:
        content = candidate.content
        if candidate.logprobs_result is not None:
            self._composer.add_logprobs(logprobs_of(candidate.logprobs_result))
        for part in (content.parts if content is not None else None) or ():
            self._take_part(part)
        self._grounding = candidate.grounding_metadata or self._grounding
        if candidate.finish_reason is not None:
            self._note_finish(candidate)

    def _note_finish(self, candidate: Candidate) -> None:
        """Keep why the answer ends: the last reason, or the first that says it is not whole."""
        if self._finish is None or self._finish.finish_reason in COMPLETED:
            self._finish = candidate

    def _take_part(self, part: Part) -> None:
        if part.function_call is not None:
            self._take_call(part.function_call, part.thought_signature)
            return
        text = bytes(part.text)
        if self._is_more_text(part, text):
            self._composer.add_text(text)
            return
        self._end_call()
        if text[:1] != _QUOTE:
            text = _EMPTY
            self._take_other(part)
        if part.thought:
            self._composer.add_thought(text)
            self._seal("thought", part.thought_signature)
        else:
            self._take_text(text, part.thought_signature)

    def _is_more_text(self, part: Part, text: bytes) -> bool:
        """Whether a part only goes on with the message that is open: most do."""
        is_bare = not part.thought and not part.thought_signature and self._call is None
        return is_bare and text[:1] == _QUOTE and self._composer.is_in_message

    def _take_text(self, text: bytes, signature: str | None) -> None:
        """Add to the text: a signature stands before its own, or else behind all of it."""
        composer = self._composer
        is_signed_first = bool(signature) and text != _EMPTY and not composer.is_in_message
        if is_signed_first:
            self._seal("text", signature)
        if text != _EMPTY:
            composer.add_text(text)
        if is_signed_first:
            composer.close()
        else:
            self._seal("end", signature)

    def _seal(self, kind: str, signature: str | None) -> None:
        if signature:
            self._composer.seal(_encode(sealed(Seal(ISSUER, signature, kind))))

    def _take_other(self, part: Part) -> None:
        """Add what Google's servers ran, and data, to the answer."""
        if part.executable_code is not None:
            code = part.executable_code
            language = (code.language or "").lower()
            self._composer.add_text(_encode(f"\n```{language}\n{code.code}\n```\n"))
        if part.code_execution_result is not None:
            self._composer.add_text(_encode(f"\n```\n{part.code_execution_result.output}\n```\n"))
        if part.inline_data is not None:
            self._take_blob(part.inline_data)
        if part.file_data is not None:
            self._composer.add_text(_encode(f"\n{part.file_data.file_uri}\n"))

    def _take_blob(self, blob: Blob) -> None:
        mime = blob.mime_type or "application/octet-stream"
        if mime.startswith("image/"):
            self._composer.put_item("image_generation_call", b'"result":%b' % bytes(blob.data))
        else:
            self._composer.add_text(_encode(f"\n[{mime}: the answer had data that is no text]\n"))

    def _take_call(self, call: FunctionCall, signature: str | None) -> None:
        if call.name:
            self._end_call()
            own = self._output.unique(call.id or self._call_id())
            self._call = OpenCall(call.name, own)
        if self._call is None:
            return  # the end of a call that has ended
        self._call.add(call, signature)
        if not call.will_continue:
            self._end_call()

    def _call_id(self) -> str:
        """Return the id of a call that has none: it follows from the response and its place."""
        self._calls += 1
        text = f"{self._output.response_id} {self._calls}"
        return f"call_{_digest(text)}"

    def _end_call(self) -> None:
        call, self._call = self._call, None
        if call is None:
            return
        self._seal("call", call.signature)
        tool = self._answered.declared.get(call.name) or Declared(FUNCTION, call.name)
        arguments = _encode(call.arguments.decode("utf-8", "replace"))
        self._composer.put_call(tool, _encode(call.id), arguments)

    def _end(self) -> None:
        """End the response as its finish reason says."""
        self._is_over = True
        self._cite()
        finish = self._finish or Candidate()
        reason, usage = finish.finish_reason or "", self._usage()
        if reason not in COMPLETED:
            self._composer.cut()
        self._end_call()
        self._composer.close()
        if reason in COMPLETED:
            self._output.close("completed", usage)
        elif reason in INCOMPLETE:
            self._leave_incomplete(INCOMPLETE[reason])
        else:
            message = failure_message(reason, finish.finish_message)
            error = _encode({"code": MALFORMED, "message": message})
            self._output.close("failed", usage, error=error)

    def _leave_incomplete(self, reason: str) -> None:
        self._composer.close()
        details = _encode({"reason": reason})
        self._output.close("incomplete", self._usage(), details=details)

    def _cite(self) -> None:
        grounding, composer = self._grounding, self._composer
        if grounding is None:
            return
        if composer.is_in_message:
            for citation in citations(grounding, composer.text):
                composer.annotate(citation)
        search = search_of(grounding)
        if search:
            composer.put_item("web_search_call", search)


def own_id(response_id: str) -> str:
    """Return the id that a response has behind `resp_`."""
    own = _UNSAFE.sub("_", response_id)
    return _digest(own) if len(own) > _LONGEST_ID else own


def _digest(text: str) -> str:
    return blake3(text.encode()).hexdigest(length=_DIGEST_SIZE)


class _Count(msgspec.Struct, rename="camel"):
    total_tokens: int
    error: Raw = NULL


class Counted:
    """Reads the answer of `countTokens`."""

    def __init__(self, _fallback: Fallback) -> None:
        self._body = bytearray()

    def feed(self, chunk: bytes) -> list[Event]:
        """Keep it: a count is no stream, whatever its headers say.

        Raises `ValueError` for one too large.
        """
        self._body += chunk
        if len(self._body) > LARGEST:
            raise ValueError(f"a response passes {LARGEST} bytes")
        return []

    def end(self) -> list[Event]:
        """Read what was kept."""
        return self.whole(bytes(self._body))

    def whole(self, body: bytes) -> list[Event]:
        """Read the count as the Responses API has it. Raises `ValueError` for what is none."""
        try:
            count = msgspec.json.decode(body, type=_Count)
        except msgspec.MsgspecError as error:
            raise MalformedEvent(str(error)) from error
        said = b'{"object":"response.input_tokens","input_tokens":%d}' % count.total_tokens
        raw = b'{"type":"response.completed","sequence_number":0,"response":%b}' % said
        return [Event(Kind.COMPLETED, "response.completed", raw, None, 0)]
