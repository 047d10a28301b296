"""The one message of an answer, folded from its deltas: the same stream, told at once."""

from collections.abc import Iterable

from msgspec import Raw

from longwire.dialects.chat_completions.deltas import (
    CALL,
    CONTENT,
    REASONING,
    REFUSAL,
    CallDelta,
    Delta,
    Deltas,
    Output,
)
from longwire.dialects.chat_completions.options import Options
from longwire.dialects.responses.output_events import ITEM_DONE


class _Call:
    __slots__ = ("start", "texts")

    def __init__(self, start: CallDelta) -> None:
        self.start = start
        self.texts: list[bytes] = []

    def encode(self) -> bytes:
        start = self.start
        kind, text = start.words
        value = b"".join(self.texts)
        return b'{"id":%b,"type":"%b","%b":{"name":%b,"%b":"%b"}}' % (
            start.call_id,
            kind,
            kind,
            start.name,
            text,
            value,
        )


class ShownMessage:
    """What a client is shown of a response's output, as a message of its assistant."""

    def __init__(self, output: Iterable[bytes], options: Options) -> None:
        self._options = options
        self._parts: dict[bytes, list[bytes]] = {}
        self._logprobs: list[bytes] = []
        self._calls: list[_Call] = []
        deltas = Deltas(options)
        for index, raw in enumerate(output):
            self._fold(deltas.feed(Output(ITEM_DONE, index, item=Raw(raw))))
        self._fold(deltas.end())
        self.is_cut = deltas.is_cut

    def _fold(self, deltas: Iterable[Delta | CallDelta]) -> None:
        for delta in deltas:
            if isinstance(delta, Delta):
                self._parts.setdefault(delta.member, []).append(delta.value[1:-1])
                if delta.logprobs != b"[]":
                    self._logprobs.append(delta.logprobs[1:-1])
            elif delta.call_id:
                self._calls.append(_Call(delta))
            else:
                self._calls[delta.number].texts.append(delta.text[1:-1])

    @property
    def call_ids(self) -> list[bytes]:
        """The ids of its calls."""
        return [call.start.call_id for call in self._calls]

    def encode(self) -> bytes:
        """Return it as raw JSON."""
        content, refusal = self._text(CONTENT), self._text(REFUSAL)
        if content is None:
            content = b"null" if self._calls or refusal else b'""'
        said = [b'"role":"assistant","content":%b,"refusal":%b' % (content, refusal or b"null")]
        said.append(b'"annotations":[%b]' % b",".join(self._parts.get(b"annotations", ())))
        if self._calls and self._options.calls_functions:
            start, arguments = self._calls[0].start, b"".join(self._calls[0].texts)
            said.append(b'"function_call":{"name":%b,"arguments":"%b"}' % (start.name, arguments))
        elif self._calls:
            said.append(b'"%b":[%b]' % (CALL, b",".join(call.encode() for call in self._calls)))
        reasoning, details = self._text(REASONING), self._parts.get(b"reasoning_details")
        if reasoning:
            said.append(b'"%b":%b' % (REASONING, reasoning))
        if details:
            said.append(b'"reasoning_details":[%b]' % b",".join(details))
        if images := self._parts.get(b"images"):
            said.append(b'"images":[%b]' % b",".join(images))
        return b"{%b}" % b",".join(said)

    @property
    def logprobs(self) -> bytes:
        """The logprobs of its text as raw JSON, null where there are none."""
        if not self._logprobs:
            return b"null"
        return b'{"content":[%b],"refusal":null}' % b",".join(self._logprobs)

    @property
    def ending(self) -> str:
        """Why it ends where it has calls, "" where it has none."""
        return self._options.call_reason if self._calls else ""

    def _text(self, member: bytes) -> bytes | None:
        parts = self._parts.get(member)
        return None if parts is None else b'"%b"' % b"".join(parts)
