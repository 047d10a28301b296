"""An answer of Anthropic's, read as events of the Responses API as it comes.

A second `message_start` behind the first block begins the answer anew: what was open is finished,
for a stream has shown it, and the terminal has what came since. `pause_turn` is an answer cut
short: who asked goes on from it with its next turn, as after the limit of tokens.
"""

import re
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from longwire.core.events import Event, Kind
from longwire.core.sse import Decoder
from longwire.dialects.client_tools import FUNCTION, Declared
from longwire.dialects.messages.reading_calls import Call, Search
from longwire.dialects.messages.reading_frames import (
    Block,
    Delta,
    Frame,
    Message,
    decode_message,
    frame_of,
)
from longwire.dialects.messages.reading_texts import (
    Compaction,
    MessageItem,
    TextPart,
    Thought,
    put_redacted,
)
from longwire.dialects.messages.reading_usage import Counts
from longwire.dialects.offered_tools import WEB_SEARCH
from longwire.dialects.ports import Fallback
from longwire.dialects.responses.output import Output

_ODD: Final = re.compile(r"[^A-Za-z0-9_-]")
RESPONSE: Final = "resp_"
"""What the id of a response has before that of its message."""

_CUT: Final = b'{"reason":"max_output_tokens"}'
_INCOMPLETE: Final = {
    "max_tokens": _CUT,
    "model_context_window_exceeded": _CUT,
    "pause_turn": _CUT,
    "refusal": b'{"reason":"content_filter"}',
}
"""Reasons to stop that are no end; all others are one."""

_RESULT: Final = "web_search_tool_result"
_NO_DATA: Final = (b"", b"[DONE]")
_encode: Final = msgspec.json.encode


class _Open(Protocol):
    """A block that is under way."""

    def take(self, delta: Delta) -> None: ...

    def stop(self) -> None: ...


class _Nowhere:
    """Where deltas go that are of nothing which is read."""

    def take(self, delta: Delta) -> None:
        pass

    def stop(self) -> None:
        pass


_NOWHERE: Final = _Nowhere()
_HEADLESS: Final = {"text_delta": "text", "thinking_delta": "thinking"}


class MessagesReading:
    """Reads one answer.

    `tools` say what names of tools mean, `echo` is what a response repeats of its request, as raw
    JSON.
    """

    __slots__ = (
        "_decoder",
        "_fallback",
        "_fault",
        "_has_blocks",
        "_is_over",
        "_message",
        "_open",
        "_output",
        "_searches",
        "_stop_reason",
        "_tools",
        "_usage",
    )

    def __init__(self, fallback: Fallback, tools: Mapping[str, Declared], echo: bytes) -> None:
        self._fallback, self._tools = fallback, tools
        self._decoder = Decoder()
        self._output = Output(echo)
        self._usage = Counts()
        self._open: dict[int, _Open] = {}
        self._searches: dict[str, Search] = {}
        self._message: MessageItem | None = None
        self._stop_reason: str | None = None
        self._fault = ""
        self._has_blocks = self._is_over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Read more of a stream. Raises `ValueError` for an event that is too large or no JSON.

        What came before such an event is given first, and it is raised by the next call.
        """
        self._check()
        for name, data in self._decoder.feed(chunk):
            if self._is_over or data.strip() in _NO_DATA:
                continue
            try:
                frame = frame_of(data)
            except (msgspec.MsgspecError, RecursionError) as error:
                self._fault = f"an event cannot be read: {error}"
                break
            if frame.type == "error" or (name == "error" and not frame.type):
                self._fail(data)
            else:
                self._take(frame)
        events = self._output.take()
        if not events:
            self._check()
        return events

    def end(self) -> list[Event]:
        """Read the end of a stream: one without a `message_stop` before has broken off."""
        self._check()
        return []

    def _check(self) -> None:
        if self._fault:
            raise ValueError(self._fault)

    def whole(self, body: bytes) -> list[Event]:
        """Read a message that comes whole, an error, or a count of tokens."""
        try:
            message = decode_message(body)
        except (msgspec.MsgspecError, RecursionError):
            message = Message()
        if message.type == "message":
            self._start(message)
            self._end()
        elif message.input_tokens is not None:
            raw = b'{"type":"response.completed","response":{"object":"response.input_tokens",'
            raw += b'"input_tokens":%d}}' % message.input_tokens
            return [Event(Kind.COMPLETED, "response.completed", raw)]
        else:
            self._fail(body)
        return self._output.take()

    def _fail(self, raw: bytes) -> None:
        self._is_over = True
        self._output.break_off(raw)

    def _take(self, frame: Frame) -> None:
        kind = frame.type
        if kind == "content_block_delta":
            delta, block = frame.delta, self._open.get(frame.index)
            if delta is not None:
                (block or self._open_for(frame.index, delta)).take(delta)
        elif kind == "content_block_start" and frame.content_block is not None:
            self._begin(frame.index, frame.content_block)
        elif kind == "content_block_stop":
            self._stop(frame.index)
        elif kind == "message_start" and frame.message is not None:
            self._start(frame.message)
        elif kind == "message_delta":
            self._usage.take(frame.usage)
            if frame.delta is not None and frame.delta.stop_reason is not None:
                self._stop_reason = frame.delta.stop_reason
        elif kind == "message_stop":
            self._end()

    def _open_for(self, index: int, delta: Delta) -> _Open:
        """Return the block that a delta is of, which it begins where nothing else has.

        Text and thinking alone are whole without the head of their block.
        """
        if index not in self._open and delta.type in _HEADLESS:
            self._begin(index, Block(_HEADLESS[delta.type]))
        return self._open.get(index, _NOWHERE)

    def _start(self, message: Message) -> None:
        """Open the response, or begin it anew; a start that is said twice is one."""
        self._usage.take(message.usage)
        if message.model:
            self._output.model = _encode(message.model)
        if not self._output.response_id:
            own = _ODD.sub("_", message.id) if message.id else self._fallback.id
            self._output.open(RESPONSE + own, self._output.model, self._fallback.created_at)
        elif self._has_blocks:
            self._begin_anew()
        self._stop_reason = message.stop_reason or self._stop_reason
        for index, block in enumerate(message.content or ()):
            self._begin(index, block)
            self._stop(index)

    def _begin_anew(self) -> None:
        self._finish_items()
        self._searches.clear()
        self._output.begin_anew()
        self._stop_reason = None
        self._has_blocks = False

    def _begin(self, index: int, block: Block) -> None:
        if not self._output.response_id:
            self._start(Message())
        self._stop(index)
        self._has_blocks = True
        opened = self._opened(block)
        self._open[index] = opened or _NOWHERE
        if opened is not None:
            opened.begin(block)

    def _opened(self, block: Block) -> "TextPart | Thought | Call | Search | Compaction | None":
        """Return what reads a block, None for one that says nothing or is read already."""
        kind, output = block.type, self._output
        if kind == "text":
            self._end_texts()
            if self._message is None:
                self._message = MessageItem(output)
            return self._message.part()
        if kind == "thinking":
            self._end_message()
            return Thought(output)
        if kind == "tool_use":
            self._end_message()
            name = block.name or ""
            tool = self._tools.get(name) or Declared(FUNCTION, name)
            return Call(output, tool, block.id or "")
        if kind == "server_tool_use" and block.name == WEB_SEARCH:
            self._end_message()
            search = self._searches[block.id or ""] = Search(output)
            return search
        if kind == "compaction":
            self._end_message()
            return Compaction(output)
        self._note(block)
        return None

    def _note(self, block: Block) -> None:
        """Read a block that is whole when it begins."""
        if block.type == "redacted_thinking":
            self._end_message()
            put_redacted(self._output, block.data or "")
        elif block.type == _RESULT:
            search = self._searches.pop(block.tool_use_id or "", None)
            if search is not None:
                search.finish(block.content)
        elif block.type == "fallback" and block.to is not None and block.to.model:
            self._output.model = _encode(block.to.model)

    def _stop(self, index: int) -> None:
        block = self._open.pop(index, None)
        if block is not None:
            block.stop()

    def _end_texts(self) -> None:
        """End texts that are open while another block begins: their pieces begin them anew."""
        for index in [key for key, block in self._open.items() if isinstance(block, TextPart)]:
            self._stop(index)

    def _end_message(self) -> None:
        self._end_texts()
        message, self._message = self._message, None
        if message is not None:
            message.finish()

    def _finish_items(self) -> None:
        """Finish what is open."""
        for index in list(self._open):
            self._stop(index)
        for search in self._searches.values():
            search.finish()
        self._end_message()

    def _end(self) -> None:
        """End the response, and what its upstream left open."""
        if not self._output.response_id:
            self._start(Message())
        self._finish_items()
        self._is_over = True
        details = _INCOMPLETE.get(self._stop_reason or "")
        if details is None:
            self._output.close("completed", self._usage.raw)
        else:
            self._output.close("incomplete", self._usage.raw, details=details)
