"""An answer of Chat Completions as items of the Responses API, in the order in which it came.

Law: what was said is said again, byte for byte. Reasoning, text and calls are items of their own;
reasoning that comes late waits for the end of the text, so that neither is cut to pieces.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from longwire.dialects.chat_completions.called import Call, Calls
from longwire.dialects.chat_completions.chunks import (
    CallDelta,
    Delta,
    Logprobs,
    decode_parts,
    decode_text,
    text_in,
)
from longwire.dialects.chat_completions.functions import write_call
from longwire.dialects.chat_completions.reasoned import Reasoned, sealed_extra
from longwire.dialects.chat_completions.think_tags import ThinkTags
from longwire.dialects.client_tools import FUNCTION, Declared
from longwire.dialects.profiles.profile import GENERIC, Profile
from longwire.dialects.responses.output import joined
from longwire.dialects.responses.writer import Item, ResponseWriter


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """What must be known of a request to read its answer.

    `model` is raw JSON, `echo` what a response repeats of its request, `functions` what is called
    otherwise upstream than by the client, by the name there.
    """

    model: bytes
    echo: bytes = b""
    functions: Mapping[str, Declared] = field(default_factory=dict)
    profile: Profile = GENERIC


class Composer:
    """Takes the message delta by delta, and writes its items."""

    def __init__(self, form: AnswerForm, writer: ResponseWriter) -> None:
        self._form = form
        self._writer = writer
        self._reasoned = Reasoned(form.profile.issuer)
        self._reasoning: Item | None = None
        self._message: Item | None = None
        self._calls = Calls()
        self._tags = ThinkTags() if form.profile.has_think_tags else None
        self._strips = form.profile.strips_leading_space
        self._has_spoken = False
        self._begun = 0

    def add(self, delta: Delta, logprobs: Logprobs | None = None) -> None:
        """Take more of the message."""
        self._reason(delta)
        content = bytes(delta.content)
        if content[:1] == b'"':
            self._say(content, _inner(logprobs))
        elif content[:1] == b"[":
            self._say_parts(content)
        if refusal := text_in(delta.refusal):
            self._refuse(refusal)
        if delta.function_call is not None:
            self._call([CallDelta(function=delta.function_call)])
        if delta.tool_calls:
            self._call(delta.tool_calls)

    @property
    def passes_texts(self) -> bool:
        """Whether more of the same text goes on as it is."""
        return self._tags is None and (self._message is not None or self._reasoning is not None)

    def add_plain(self, member: str, text: bytes) -> None:
        """Take more of the text that the delta before had alone."""
        if member != "content":
            self._think(text)
        elif self._message is None:
            self._speak(text)
        else:
            self._writer.add_text(self._message, text)

    def end(self, *, is_cut: bool) -> str:
        """End all items, the last ones incomplete if the answer `is_cut`; return its fault."""
        status = b"incomplete" if is_cut else b"completed"
        if self._tags is not None:
            self._sort_out(self._tags.rest())
        self._end_reasoning()
        self._end_message(status)
        self._reason_late()
        if any(call.name == b'""' and (call.arguments or call.id) for call in self._calls.all):
            return "The upstream called a function and did not say which one."
        for at, call in enumerate(self._calls.all):
            self._end_call(call, status, is_begun=at < self._begun)
        return ""

    def _reason(self, delta: Delta) -> None:
        """Take more of the reasoning; some write it under two names, which is once."""
        piece = text_in(delta.reasoning_content) or text_in(delta.reasoning)
        details = bytes(delta.reasoning_details)
        if details[:1] == b"[":
            shown = self._reasoned.add_details(details)
            piece = piece or shown
            self._begin_reasoning()
        if piece:
            self._think(piece)

    def _think(self, piece: bytes) -> None:
        self._reasoned.add(piece)
        self._begin_reasoning()
        if self._reasoning is not None:
            self._writer.add_thought(self._reasoning, piece)

    def _begin_reasoning(self) -> None:
        """Begin reasoning, unless it comes late."""
        if self._reasoning is None and not self._has_spoken and not self._reasoned.is_empty:
            self._reasoning = self._writer.start_reasoning()

    def _say_parts(self, raw: bytes) -> None:
        """Take a content of parts, some of which think, as Mistral's do."""
        for part in decode_parts(raw):
            if part.type == "thinking":
                inner = bytes(part.thinking)
                thoughts = decode_parts(inner) if inner[:1] == b"[" else ()
                pieces = [text_in(part.thinking), *(text_in(each.text) for each in thoughts)]
                for piece in filter(None, pieces):
                    self._think(piece)
            elif part.type in ("text", "output_text"):
                self._say(bytes(part.text), b"")

    def _say(self, raw: bytes, logprobs: bytes) -> None:
        if raw in (b'""', b"null"):
            return
        if self._tags is not None:
            self._sort_out(self._tags.feed(decode_text(raw)))
            self._tags = None if self._tags.is_over else self._tags
        else:
            self._speak(raw, logprobs)

    def _sort_out(self, pieces: Iterable[tuple[bool, str]]) -> None:
        for is_thought, text in pieces:
            say = self._think if is_thought else self._speak
            say(msgspec.json.encode(text))

    def _speak(self, raw: bytes, logprobs: bytes = b"") -> None:
        if self._strips and not self._has_spoken:
            text = decode_text(raw).lstrip()
            if not text:
                return
            raw = msgspec.json.encode(text)
        if self._message is None:
            self._end_reasoning()
            self._has_spoken = True
            self._message = self._writer.start_message()
        self._writer.add_text(self._message, raw, logprobs)

    def _refuse(self, raw: bytes) -> None:
        """Take more of a refusal, which is a message of its own."""
        if self._message is None or not self._message.is_refusal:
            self._end_reasoning()
            self._end_message(b"completed")
            self._has_spoken = True
            self._message = self._writer.start_message()
        self._writer.add_refusal(self._message, raw)

    def _call(self, deltas: list[CallDelta]) -> None:
        for call, delta in self._calls.sort_in(deltas):
            piece = call.add(delta)
            if call.item is not None and piece:
                self._writer.add_to_call(call.item, piece)
        while self._begin_next():
            self._begun += 1

    def _begin_next(self) -> bool:
        """Begin the next call, if enough of it came; their order is that of the answer.

        One that is no function to the client is written once it is whole.
        """
        if self._begun == len(self._calls.all):
            return False
        call, is_last = self._calls.all[self._begun], self._begun == len(self._calls.all) - 1
        function = self._function(call)
        if call.name == b'""' or (function.kind == FUNCTION and not call.arguments):
            return False
        if function.kind == FUNCTION:
            self._begin_call(call)
            return True
        if is_last or not call.is_whole:
            return False
        self._write_call(call, function, b"completed")
        return True

    def _function(self, call: Call) -> Declared:
        name = decode_text(call.name)
        return self._form.functions.get(name) or Declared(FUNCTION, name)

    def _begin_call(self, call: Call) -> None:
        """Begin a call of a function with all that came of its arguments."""
        call_id = self._begin_calls(call)
        call.item = self._writer.start_call("function_call", self._function(call).head(call_id))
        self._writer.add_to_call(call.item, call.text)

    def _begin_calls(self, call: Call) -> bytes:
        """End what stands before a call, and seal what Gemini wants to see of it; return its id."""
        self._end_reasoning()
        self._end_message(b"completed")
        self._reason_late()
        self._has_spoken = True
        issuer = self._form.profile.issuer
        output = self._writer.output
        own = f"call_{output.response_id}_{self._calls.all.index(call)}"
        call_id = msgspec.json.encode(output.unique(decode_text(call.id) if call.id else own))
        if call.extra and issuer:
            item = self._writer.start_reasoning()
            self._writer.end_reasoning(item, sealed_extra(issuer, call_id, call.extra))
        return call_id

    def _write_call(self, call: Call, function: Declared, status: bytes) -> None:
        call_id = self._begin_calls(call)
        write_call(self._writer, function, call_id, call.text, status)

    def _end_call(self, call: Call, status: bytes, *, is_begun: bool) -> None:
        """End a call; one that says nothing at all is none."""
        function = self._function(call)
        if not is_begun and call.name != b'""':
            if function.kind == FUNCTION:
                self._begin_call(call)
            else:
                self._write_call(call, function, status)
        if call.item is not None:
            self._writer.end_call(call.item, status)

    def _reason_late(self) -> None:
        """Write the reasoning that came behind the text."""
        if self._reasoned.is_empty:
            return
        item = self._writer.start_reasoning()
        if self._reasoned.pieces:
            self._writer.add_thought(item, joined(self._reasoned.pieces))
        self._writer.end_reasoning(item, self._reasoned.seal())

    def _end_reasoning(self) -> None:
        if self._reasoning is not None:
            self._writer.end_reasoning(self._reasoning, self._reasoned.seal())
            self._reasoning = None

    def _end_message(self, status: bytes) -> None:
        if self._message is not None:
            self._writer.end_message(self._message, status)
            self._message = None


def _inner(logprobs: Logprobs | None) -> bytes:
    raw = bytes(logprobs.content) if logprobs is not None else b""
    return raw[1:-1].strip() if raw[:1] == b"[" else b""
