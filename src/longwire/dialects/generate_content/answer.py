"""What a client of Gemini's API gets: chunks, each a response of its own, or one response.

Law: what is streamed is what the whole says. The last chunk says why the answer ended and what it
cost; it has a text, if an empty one, for clients take a chunk without one for an answer that
failed. Nothing stands in a stream but chunks and line breaks: clients read a comment as a chunk.
"""

from collections.abc import Iterable, Sequence
from typing import Final, cast

import msgspec

from longwire.core.events import FAILED, SHOWN, Event, Kind, is_bare_failure
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.generate_content.errors import envelope, problem_of_failed
from longwire.dialects.generate_content.image import shown_of
from longwire.dialects.generate_content.options import Options
from longwire.dialects.generate_content.parts import Parts, Shown, whole_parts
from longwire.dialects.generate_content.usage import encode_usage, finish_reason, identity
from longwire.dialects.messages.stream import ACTING, Frame, frame_of
from longwire.dialects.ports import Problem
from longwire.dialects.responses.errors import rejection_of_failed
from longwire.dialects.responses.image import output_of
from longwire.dialects.responses.output_events import ITEM_DONE, TEXT
from longwire.dialects.responses.stream import decode_item, is_output

_ENDED: Final = frozenset({Kind.COMPLETED, Kind.INCOMPLETE})
_LAST: Final = Shown(b'""').encode()
_CANDIDATE: Final = b'{"candidates":[{"content":{"parts":['
_ROLE: Final = b'],"role":"model"}'
_decode_frame: Final = msgspec.json.Decoder(Frame).decode


class GenerateContentAnswer:
    """One answer of Gemini's API."""

    def __init__(self, turn: Turn, aggregate: Aggregate) -> None:
        self._turn = turn
        self._aggregate = aggregate
        self._options = cast("Options", turn.source.options)
        self._parts = Parts(self._options)
        self._frame = (b",\n", b"") if self._options.is_array else (b"data: ", b"\n\n")
        self._has_begun = False
        self._tail = b""
        self._before = self._after = b""
        self._flow: int | None = None

    @property
    def is_cut(self) -> bool:
        """Whether a stop sequence has ended it."""
        return self._parts.is_cut

    def keep_alive(self) -> bytes:
        """Return a line break."""
        return b"\n"

    def encode_batch(self, events: Sequence[Event]) -> bytes:
        """Return events as chunks; behind the end of an answer nothing follows."""
        if not self._has_begun and is_bare_failure(events):
            raise rejection_of_failed(events[-1].raw)
        sent: list[bytes] = []
        for event in events:
            if event.kind in SHOWN:
                if event.name in ACTING:
                    sent.append(self._shown(frame_of(event.raw)))
            elif event.kind is Kind.OPENING:
                self._tail = self._tail or identity(event, self._turn)
            elif event.kind in _ENDED:
                sent.append(self._ending(event))
            elif event.kind in FAILED:
                sent.append(self.failure(problem_of_failed(event.raw)))
            if self.is_cut:
                sent.append(self._finish(None))
                break
        return b"".join(sent)

    def encode_plain(self, frames: Iterable[bytes]) -> tuple[int, bytes]:
        """Encode frames up to one that is no plain output, and count them; see `Answer`.

        Where a stop sequence could come, none is plain.
        """
        if not self._has_begun or self._options.stops or self._parts.is_within_emoji:
            return 0, b""
        count, sent, said = 0, list[bytes | msgspec.Raw](), self._parts.said
        try:
            for raw in frames:
                frame = _decode_frame(raw)
                if frame.stream_id is not None:
                    break
                if self._flows(frame):
                    said.append(bytes(frame.delta))
                    sent += (self._before, frame.delta, self._after)
                    count += 1
                    continue
                if not is_output(frame.type):
                    break
                if frame.type == ITEM_DONE:
                    self._aggregate.add_item(*decode_item(raw))
                sent.append(self._shown(frame))
                count += 1
        except (msgspec.MsgspecError, ValueError, RecursionError):
            pass  # the frame is left to its reader, which refuses it or reads it slowly
        return count, b"".join(sent)

    def _flows(self, frame: Frame) -> bool:
        """Whether an event is more of the text under way, and shown as it is."""
        if frame.output_index != self._flow or frame.type != TEXT:
            return False
        delta = bytes(frame.delta)
        return b"\\u" not in delta and delta[:1] == b'"' and len(delta) > len('""')

    def whole(self, terminal: Event) -> bytes:
        """Return the response alone. Raises `UpstreamRejected` where it failed."""
        if terminal.kind in FAILED:
            raise rejection_of_failed(terminal.raw)
        parts = Parts(self._options)
        is_short = terminal.kind is Kind.INCOMPLETE
        shown = whole_parts(shown_of(parts, output_of(self._aggregate), is_short=is_short))
        self._parts, self._tail = parts, identity(terminal, self._turn)
        return self._response(b",".join(shown), self._end(None if parts.is_cut else terminal))

    def failure(self, problem: Problem) -> bytes:
        """Return the error that ends a stream."""
        return self._sent(envelope(problem), is_last=True)

    def _shown(self, frame: Frame) -> bytes:
        parts = self._parts
        shown = parts.feed(frame)
        self._flow = parts.under_way if frame.type == TEXT and parts.can_flow else None
        if not shown:
            return b""
        return self._sent(self._response(b",".join(part.encode() for part in shown)))

    def _response(self, parts: bytes, end: tuple[bytes, bytes] = (b"", b"")) -> bytes:
        """Return a response with some parts; its end are the reason and the usage."""
        reason, usage = end
        if not self._tail:
            self._tail = identity(self._aggregate.opening, self._turn)
        said = (_CANDIDATE, parts, _ROLE, reason, b',"index":0}]', usage, self._tail, b"}")
        return b"".join(said)

    def _sent(self, chunk: bytes, *, is_last: bool = False) -> bytes:
        """Return a chunk as it stands in the stream."""
        before, after = self._frame
        if not self._has_begun:
            self._has_begun = True
            head, tail = self._response(b'{"text":\0}').split(b"\0")
            self._before, self._after = before + head, tail + after
            before = b"[" if self._options.is_array else before
        end = b"]" if is_last and self._options.is_array else b""
        return before + chunk + after + end

    def _ending(self, terminal: Event) -> bytes:
        is_short = terminal.kind is Kind.INCOMPLETE
        shown = self._parts.end(output_of(self._aggregate), is_short=is_short)
        if self.is_cut:
            sent = b",".join(part.encode() for part in shown)
            return self._sent(self._response(sent)) if sent else b""
        *others, last = [*(part.encode() for part in shown), _LAST]
        if shown and shown[-1].text == b'""':
            others, last = others[:-1], others[-1]
        sent = self._sent(self._response(b",".join(others))) if others else b""
        return sent + self._finish(terminal, last)

    def _finish(self, terminal: Event | None, last: bytes = _LAST) -> bytes:
        """Return the last chunk; without a terminal the gateway has ended the answer."""
        return self._sent(self._response(last, self._end(terminal)), is_last=True)

    def _end(self, terminal: Event | None) -> tuple[bytes, bytes]:
        reason = finish_reason(terminal, is_refused=self._parts.is_refused)
        usage = encode_usage(terminal, self._turn, self._aggregate)
        return b',"finishReason":"%b"' % reason, b',"usageMetadata":%b' % usage
