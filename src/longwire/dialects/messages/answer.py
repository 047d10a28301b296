"""An answer as clients of the Messages API read it: a stream of blocks, or one message.

Law: streamed and whole say the same. A stream that breaks off ends with an error, and never with a
`message_stop`.
"""

from collections.abc import Iterable, Sequence
from typing import Final, cast

import msgspec
from blake3 import blake3

from longwire.core import sse
from longwire.core.events import FAILED, Event, Kind, is_bare_failure
from longwire.core.rules.aggregate import Aggregate
from longwire.core.rules.turn import Turn
from longwire.dialects.messages.errors import envelope, problem_of_failed
from longwire.dialects.messages.ids import message_id
from longwire.dialects.messages.open_blocks import END
from longwire.dialects.messages.options import Options
from longwire.dialects.messages.render import Content
from longwire.dialects.messages.stream import ACTING, Frame, Items, frame_of
from longwire.dialects.messages.usage import NOTHING_YET, Response, response_in, usage_of
from longwire.dialects.ports import Problem
from longwire.dialects.responses.errors import rejection_of_failed
from longwire.dialects.responses.image import output_of
from longwire.dialects.responses.output_events import ITEM_DONE
from longwire.dialects.responses.stream import decode_item, is_output

_PING: Final = sse.encode("ping", b'{"type":"ping"}')
_STOP: Final = sse.encode("message_stop", b'{"type":"message_stop"}')
_ENDED: Final = frozenset({Kind.COMPLETED, Kind.INCOMPLETE})
_REASONS: Final = {"max_output_tokens": "max_tokens", "content_filter": "refusal"}
_NO_DETAILS: Final = b',"stop_details":null'
_NOTHING_ELSE: Final = (
    b',"cache_creation":null,"inference_geo":null,"server_tool_use":null},"container":null'
)
"""What ends the usage of a whole message: by its document all of its members have to be there."""
_REFUSAL: Final = b',"stop_details":{"type":"refusal","category":null,"explanation":null}'


_decode_frame: Final = msgspec.json.Decoder(Frame).decode


class MessagesAnswer:
    """One answer of the Messages API; it `is_cut` once a stop sequence has ended it."""

    __slots__ = ("_aggregate", "_has_begun", "_items", "_options", "_turn", "is_cut")

    def __init__(self, turn: Turn, aggregate: Aggregate) -> None:
        self._turn = turn
        self._aggregate = aggregate
        self._options = cast("Options", turn.source.options)
        self._items = Items(self._options, turn.input or b"")
        self._has_begun = False
        self.is_cut = False

    def keep_alive(self) -> bytes:
        """Return what bridges silence; before the message a comment, for it may yet fail."""
        return _PING if self._has_begun else sse.COMMENT_KEEP_ALIVE

    def encode_plain(self, frames: Iterable[bytes]) -> tuple[int, bytes]:
        """Encode frames up to one that is no plain output, and count them.

        Finished items among them are kept in the aggregate.
        """
        items, count = self._items, 0
        blocks = items.blocks
        parts, said = blocks.parts, blocks.said
        if not self._has_begun or self.is_cut or items.is_within_emoji:
            return 0, b""
        try:
            for raw in frames:
                frame = _decode_frame(raw)
                if frame.stream_id is not None:
                    break
                delta = bytes(frame.delta)
                is_more = frame.type == blocks.plain and frame.output_index == blocks.index
                if is_more and delta[:1] == b'"':
                    parts += (blocks.prefix, delta, END)
                    said.append(delta)
                    count += 1
                    continue
                if not is_output(frame.type):
                    break
                if frame.type == ITEM_DONE:
                    self._aggregate.add_item(*decode_item(raw))
                items.take(frame)
                count += 1
                if items.is_cut:
                    parts.append(self._ending(None))
                    break
        except (msgspec.MsgspecError, ValueError, RecursionError):
            pass  # the frame is left to its reader, which refuses it or reads it slowly
        return count, blocks.take()

    def encode_batch(self, events: Sequence[Event]) -> bytes:
        """Return events as the client's stream has them."""
        if not self._has_begun and is_bare_failure(events):
            raise rejection_of_failed(events[-1].raw)
        parts = self._items.blocks.parts
        for event in events:
            if self.is_cut:
                break
            if event.kind is Kind.VENDOR:
                continue
            if event.kind in FAILED:
                parts.append(self._failed(event))
                continue
            if not self._has_begun:
                self._begin(event)
            if event.kind in _ENDED:
                self._items.end()
                self._add_unseen()
                parts.append(self._ending(event))
            elif event.name in ACTING and not self._goes_on(event):
                self._items.take(frame_of(event.raw))
                if self._items.is_cut:
                    parts.append(self._ending(None))
        return self._items.blocks.take()

    def _goes_on(self, event: Event) -> bool:
        """Write more of the text that is under way, as it is; say whether it was that."""
        blocks = self._items.blocks
        if event.name != blocks.plain or self._items.is_within_emoji:
            return False
        try:
            frame = _decode_frame(event.raw)
        except msgspec.MsgspecError:
            return False
        delta = bytes(frame.delta)
        if frame.output_index != blocks.index or delta[:1] != b'"':
            return False
        blocks.parts += (blocks.prefix, delta, END)
        blocks.said.append(delta)
        return True

    def _begin(self, event: Event) -> None:
        """Open the message, with the first event of whatever kind."""
        self._has_begun = True
        head = self._head(event, b"[]", b"null", NOTHING_YET)
        start = sse.encode("message_start", b'{"type":"message_start","message":%b}' % head)
        self._items.blocks.parts += (start, _PING)

    def _head(self, event: Event, content: bytes, stop: bytes, usage: bytes) -> bytes:
        """Return a message; `stop` is its reason, with what else is said of it."""
        return (
            b'{"id":%b,"type":"message","role":"assistant","model":%b,"content":%b,'
            b'"stop_reason":%b%b,"usage":%b}'
            % (
                msgspec.json.encode(self._id(event)),
                self._options.model,
                content,
                stop,
                b',"stop_sequence":null' if stop == b"null" else b"",
                usage,
            )
        )

    def _id(self, event: Event) -> str:
        opening = self._aggregate.opening
        own = event.response_id or (opening.response_id if opening is not None else None)
        if own is None:
            own = f"resp_{blake3(self._turn.source.body + event.raw).hexdigest(length=16)}"
        return message_id(own)

    def _add_unseen(self) -> None:
        """Write the items that a terminal alone brought."""
        if self._items.has_none:
            for index, raw in enumerate(output_of(self._aggregate)):
                self._items.take(Frame(ITEM_DONE, index, item=msgspec.Raw(raw)))
            self._items.end()

    def _ending(self, terminal: Event | None) -> bytes:
        """Return the end of a stream; without a terminal the gateway itself has cut it."""
        self.is_cut = self._items.is_cut
        response = response_in(terminal)
        delta = b'{"type":"message_delta","delta":{"stop_reason":%b},"usage":%b}' % (
            self._stop(response, self._items),
            usage_of(terminal, response, self._turn, self._aggregate),
        )
        return sse.encode("message_delta", delta) + _STOP

    def _stop(self, response: Response, said: Items | Content) -> bytes:
        """Return why the answer ends, and what belongs to that."""
        why = response.incomplete_details
        if said.stop_sequence is not None:
            sequence = msgspec.json.encode(said.stop_sequence)
            return b'"stop_sequence","stop_sequence":%b' % sequence
        reason = "tool_use" if said.has_calls else "end_turn"
        if response.status == "incomplete":
            reason = _REASONS.get((why.reason if why is not None else None) or "", "end_turn")
        if said.is_refused:
            reason = "refusal"
        details = _REFUSAL if reason == "refusal" else b""
        return b'"%b","stop_sequence":null%b' % (reason.encode(), details)

    def whole(self, terminal: Event) -> bytes:
        """Return the message alone. Raises `UpstreamRejected` where the response failed."""
        if terminal.kind in FAILED:
            raise rejection_of_failed(terminal.raw)
        content = Content(output_of(self._aggregate), self._options, self._turn.input or b"")
        self.is_cut = content.stop_sequence is not None
        response = response_in(terminal)
        stop = self._stop(response, content)
        details = b"" if stop.endswith(_REFUSAL) else _NO_DETAILS
        usage = usage_of(terminal, response, self._turn, self._aggregate)[:-1] + _NOTHING_ELSE
        return self._head(terminal, content.raw, stop + details, usage)

    def _failed(self, event: Event) -> bytes:
        return sse.encode("error", envelope(problem_of_failed(event.raw)))

    def failure(self, problem: Problem) -> bytes:
        """Return the error that ends a stream."""
        return sse.encode("error", envelope(problem))
