"""What a client of Chat Completions gets: the events of a response as chunks, or one completion.

Law: a role chunk at once, one chunk with a `finish_reason`, usage behind it where that is wanted,
then `[DONE]`; an error ends the stream without it. What is streamed is what the whole says.
"""

from collections.abc import Iterable, Sequence
from typing import cast

import msgspec

from longwire.core import sse
from longwire.core.events import FAILED, SHOWN, Event, Kind, is_bare_failure
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.deltas import (
    CALL,
    CALL_INPUTS,
    CONTENT,
    ESCAPE,
    KINDS,
    CallDelta,
    Delta,
    Deltas,
    Output,
    decode_output,
)
from longwire.dialects.chat_completions.options import Options
from longwire.dialects.chat_completions.shown import ShownMessage
from longwire.dialects.chat_completions.usage import (
    Response,
    encode_usage,
    finish_reason,
    response_in,
)
from longwire.dialects.own_fields import CHAT, with_own_field
from longwire.dialects.ports import Problem
from longwire.dialects.responses.errors import rejection_of_failed
from longwire.dialects.responses.image import output_of
from longwire.dialects.responses.output_events import ITEM_DONE, TEXT
from longwire.dialects.responses.stream import MalformedEvent, decode_item, is_output

_DONE_LINE = b"data: [DONE]\n\n"
_ROLE = b'"role":"assistant","content":"","refusal":null'
_ENDS = (Kind.COMPLETED, Kind.INCOMPLETE)


class _Flow:
    """Deltas of one text of one item, which pass as they are between two strings of bytes."""

    __slots__ = ("after", "before", "index", "name", "sent")

    def __init__(
        self, name: str, index: int, edges: tuple[bytes, bytes], sent: list[bytes]
    ) -> None:
        self.name = name
        self.index = index
        self.before, self.after = edges
        self.sent = sent


_NO_FLOW = _Flow("", -1, (b"", b""), [])


class ChatAnswer:
    """One answer of Chat Completions."""

    def __init__(self, turn: Turn, aggregate: Aggregate) -> None:
        self._turn = turn
        self._aggregate = aggregate
        self._options = cast("Options", turn.source.options)
        self._deltas = Deltas(self._options)
        self._head = b""
        self._flow = _NO_FLOW
        usage = b',"usage":null' if self._options.wants_usage else b""
        self._end = b"]%b}\n\n" % usage
        self._tail = b'},"logprobs":null,"finish_reason":null}' + self._end

    @property
    def is_cut(self) -> bool:
        """Whether a stop sequence has ended it."""
        return self._deltas.is_cut

    def keep_alive(self) -> bytes:
        """Return a comment."""
        return sse.COMMENT_KEEP_ALIVE

    def encode_batch(self, events: Sequence[Event]) -> bytes:
        """Return events as chunks; behind the end of an answer nothing follows."""
        if not self._head and is_bare_failure(events):
            raise rejection_of_failed(events[-1].raw)
        parts: list[bytes] = []
        may_stop = bool(self._options.stops)
        for event in events:
            if event.kind in SHOWN:
                if not self._head:
                    parts.append(self._begun())
                if event.name in KINDS:
                    parts += self._shown(decode_output(event.raw))
            elif event.kind is Kind.OPENING:
                parts.append(self._begun(event))
            elif event.kind in _ENDS:
                parts += (self._begun(event), self._ending(event))
            elif event.kind in FAILED:
                parts.append(_sent(with_own_field(rejection_of_failed(event.raw).body, CHAT)))
            if may_stop and self.is_cut:
                parts.append(self._finish(None))
                break
        return b"".join(parts)

    def encode_plain(self, frames: Iterable[bytes]) -> tuple[int, bytes]:
        """Encode frames up to one that is no plain output; see `Answer`.

        Where a stop sequence could come, none is plain.
        """
        if not self._head or self._options.stops:
            return 0, b""
        count, parts = 0, list[bytes]()
        try:
            for raw in frames:
                event = decode_output(raw)
                if event.stream_id is not None:
                    break
                if event.type != self._flow.name and not self._is_plain(event, raw):
                    break
                count += 1
                parts += self._shown(event)
        except (msgspec.MsgspecError, RecursionError, MalformedEvent):
            pass  # the frame is left to its reader, which refuses it
        return count, b"".join(parts)

    def _is_plain(self, event: Output, raw: bytes) -> bool:
        """Whether a frame is output and no more; an item that is finished is kept."""
        if not is_output(event.type):
            return False
        if event.type == ITEM_DONE:
            self._aggregate.add_item(*decode_item(raw))
        return True

    def _shown(self, event: Output) -> tuple[bytes, ...]:
        """Return what an event of output shows; more of the same passes between two strings."""
        flow = self._flow
        if event.type == flow.name and event.output_index == flow.index:
            delta = bytes(event.delta)
            if ESCAPE not in delta and delta[:1] == b'"':
                flow.sent.append(delta[1:-1])
                return flow.before, delta, flow.after
        return (self._feed(event),)

    def whole(self, terminal: Event) -> bytes:
        """Return the completion. Raises `UpstreamRejected` for a response that failed."""
        if terminal.kind in FAILED:
            raise rejection_of_failed(terminal.raw)
        response = response_in(terminal)
        message = ShownMessage(output_of(self._aggregate), self._options)
        ended = None if message.is_cut else terminal
        return (
            b'%b,"choices":[{"index":0,"message":%b,"logprobs":%b,"finish_reason":%b}],"usage":%b}'
            % (
                self._identity(response, b"chat.completion"),
                message.encode(),
                message.logprobs,
                finish_reason(ended, response, calls=message.ending),
                encode_usage(terminal, self._turn, self._aggregate),
            )
        )

    def failure(self, problem: Problem) -> bytes:
        """Return the error that ends a stream; `[DONE]` would call it complete."""
        return _sent(problem.envelope())

    def _begun(self, event: Event | None = None) -> bytes:
        """Return the role chunk where nothing was sent yet."""
        if self._head:
            return b""
        response = response_in(event or self._aggregate.opening)
        self._head = b"data: %b," % self._identity(response, b"chat.completion.chunk")
        return self._chunk(_ROLE)

    def _identity(self, response: Response, kind: bytes) -> bytes:
        """Return the members that say which completion it is, without the closing brace."""
        own_id, model, tier = map(bytes, (response.id, response.model, response.service_tier))
        if own_id == b"null":
            own_id = b'"resp_unknown"'
        if model == b"null":
            model = msgspec.json.encode(self._turn.model)
        served = b"" if tier == b"null" else b',"service_tier":' + tier
        return b'{"id":%b,"object":"%b","created":%d,"model":%b%b' % (
            own_id,
            kind,
            int(response.created_at or 0),
            model,
            served,
        )

    def _chunk(self, delta: bytes, logprobs: bytes = b"[]") -> bytes:
        start = b'%b"choices":[{"index":0,"delta":{%b' % (self._head, delta)
        if logprobs == b"[]":
            return start + self._tail
        said = b'},"logprobs":{"content":%b,"refusal":null},"finish_reason":null}' % logprobs
        return start + said + self._end

    def _feed(self, event: Output) -> bytes:
        self._flow = _NO_FLOW
        encoded = b"".join(map(self._encode, self._deltas.feed(event)))
        deltas, may_stop = self._deltas, self._options.stops
        is_under_way = event.output_index == deltas.under_way and not deltas.is_within_emoji
        if encoded and is_under_way and not may_stop:
            self._flow = self._flow_of(event)
        return encoded

    def _flow_of(self, event: Output) -> _Flow:
        """Return how more of the same passes, where it does so as it is."""
        before = b'%b"choices":[{"index":0,"delta":{' % self._head
        if event.type == TEXT and not self._options.wants_logprobs:
            edges = before + b'"content":', self._tail
            return _Flow(TEXT, event.output_index, edges, self._deltas.sent(CONTENT))
        call = self._deltas.call_under_way
        if event.type not in CALL_INPUTS or call < 0 or self._options.calls_functions:
            return _NO_FLOW
        before += b'"tool_calls":[{"index":%d,"function":{"arguments":' % call
        edges = before, b"}}]" + self._tail
        return _Flow(event.type, event.output_index, edges, self._deltas.sent(CALL))

    def _encode(self, delta: Delta | CallDelta) -> bytes:
        if isinstance(delta, CallDelta):
            call = self._encode_call(delta)
            return self._chunk(call) if call else b""
        return self._chunk(b'"%b":%b' % (delta.member, delta.value), delta.logprobs)

    def _encode_call(self, delta: CallDelta) -> bytes:
        kind, text = delta.words
        said = b'"%b":%b' % (text, delta.text)
        if delta.call_id:
            said = b'"name":%b,%b' % (delta.name, said)
        if self._options.calls_functions:
            return b"" if delta.number else b'"function_call":{%b}' % said
        begun = b'"id":%b,"type":"%b",' % (delta.call_id, kind) if delta.call_id else b""
        return b'"tool_calls":[{"index":%d,%b"%b":{%b}}]' % (delta.number, begun, kind, said)

    def _ending(self, terminal: Event) -> bytes:
        output = output_of(self._aggregate)
        rest = b"".join(map(self._encode, self._deltas.end(output)))
        return rest if self.is_cut else rest + self._finish(terminal)

    def _finish(self, terminal: Event | None) -> bytes:
        """Return what ends the stream; without a terminal the gateway has ended it."""
        calls = self._options.call_reason if self._deltas.calls else ""
        reason = finish_reason(terminal, response_in(terminal), calls=calls)
        ended = b'%b"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":%b}%b' % (
            self._head,
            reason,
            self._end,
        )
        if self._options.wants_usage:
            usage = encode_usage(terminal, self._turn, self._aggregate)
            ended += b'%b"choices":[],"usage":%b}\n\n' % (self._head, usage)
        return ended + _DONE_LINE


def _sent(raw: bytes) -> bytes:
    return b"data: %b\n\n" % b"\ndata: ".join(raw.splitlines())
