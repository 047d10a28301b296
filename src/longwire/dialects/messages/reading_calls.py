"""Calls of tools and searches of the web as items, each written as its pieces come."""

from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.events import Kind
from longwire.dialects.client_tools import CLIENT_TOOLS, CUSTOM, FUNCTION, Declared, called
from longwire.dialects.messages.reading_frames import Block, Delta
from longwire.dialects.messages.render import joined
from longwire.dialects.raw_json import NULL, tolerant
from longwire.dialects.responses import output_events
from longwire.dialects.responses.output import EMPTY, Output, head_of

_PREFIXES: Final = {FUNCTION: "fc", CUSTOM: "ctc"}
_encode: Final = msgspec.json.Encoder().encode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


class _Query(msgspec.Struct):
    query: Raw = NULL


class _Found(msgspec.Struct):
    url: Raw = NULL


_decode_object: Final = tolerant(msgspec.json.Decoder(dict[str, Raw]).decode)
_decode_query: Final = tolerant(msgspec.json.Decoder(_Query).decode)
_decode_found: Final = tolerant(msgspec.json.Decoder(list[_Found]).decode)


class Call:
    """A call of a tool that the client runs, as the item that its tool was offered with."""

    __slots__ = ("_call_id", "_head", "_index", "_input", "_item", "_output", "_said", "_tool")

    def __init__(self, output: Output, tool: Declared, call_id: str) -> None:
        self._output, self._tool = output, tool
        self._index, self._item = output.begin(_PREFIXES.get(tool.kind, "call"))
        own = call_id or f"call_{output.response_id}_{self._index}"
        self._call_id = _encode(output.unique(own))
        self._head = head_of(output_events.ARGUMENTS, self._place)
        self._said: list[Raw] = []
        self._input = b"{}"

    @property
    def _place(self) -> bytes:
        return b'"item_id":%b,"output_index":%d' % (self._item, self._index)

    @property
    def _is_function(self) -> bool:
        return self._tool.kind == FUNCTION

    def begin(self, block: Block) -> None:
        """Say that it is called; an input that is whole already waits for its end."""
        if bytes(block.input)[:1] == b"{":
            self._input = bytes(block.input)
        if self._is_function:
            self._output.add(self._index, self._raw(b'"arguments":""', b"in_progress"))
        elif self._tool.kind == CUSTOM:
            self._output.add(self._index, self._raw(b'"input":""', b"in_progress"))

    def take(self, delta: Delta) -> None:
        """Take a piece of its input."""
        raw = bytes(delta.partial_json)
        if raw[:1] == b'"' and raw != EMPTY:
            self._said.append(delta.partial_json)
            if self._is_function:
                self._output.piece(output_events.ARGUMENTS, self._head, raw)

    def stop(self) -> None:
        """End it; input that is no object was cut short."""
        text = joined(self._said)
        if text == EMPTY:
            text = _encode(self._input.decode("utf-8", "replace"))
            if self._is_function:
                self._output.piece(output_events.ARGUMENTS, self._head, text)
        status = b"completed" if _is_object(text) else b"incomplete"
        if self._is_function:
            self._stop_function(text, status)
        else:
            self._stop_other(text, status)

    def _stop_function(self, text: bytes, status: bytes) -> None:
        said = b'%b,"name":%b,"arguments":%b' % (self._place, _encode(self._tool.name), text)
        self._output.put(Kind.OUTPUT, "response.function_call_arguments.done", said)
        self._output.finish(self._index, self._raw(b'"arguments":' + text, status))

    def _stop_other(self, text: bytes, status: bytes) -> None:
        call = called(self._tool, self._call_id, text)
        if not call.text:
            raw = self._written(call.item, call.said, status)
            self._output.add(self._index, raw)
            self._output.finish(self._index, raw)
            return
        if self._tool.kind in CLIENT_TOOLS:
            said = call.said + b',"input":""'
            self._output.add(self._index, self._written(call.item, said, b"in_progress"))
        head = head_of(output_events.CUSTOM_INPUT, self._place)
        self._output.piece(output_events.CUSTOM_INPUT, head, call.text)
        done = b'%b,"input":%b' % (self._place, call.text)
        self._output.put(Kind.OUTPUT, "response.custom_tool_call_input.done", done)
        said = b'%b,"input":%b' % (call.said, call.text)
        self._output.finish(self._index, self._written(call.item, said, status))

    def _raw(self, said: bytes, status: bytes) -> bytes:
        head = self._tool.head(self._call_id)
        return self._written(self._tool.item, b"%b,%b" % (head, said), status)

    def _written(self, kind: str, said: bytes, status: bytes) -> bytes:
        return b'{"id":%b,"type":"%b","status":"%b",%b}' % (self._item, kind.encode(), status, said)


def _is_object(text: bytes) -> bool:
    try:
        _decode_object(_decode_text(text).encode())
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


class Search:
    """A search of the web, which ends when its result is there."""

    __slots__ = ("_index", "_input", "_item", "_output", "_said")

    def __init__(self, output: Output) -> None:
        self._output = output
        self._index, self._item = output.begin("ws")
        self._said: list[Raw] = []
        self._input = b"{}"
        output.add(
            self._index,
            b'{"id":%b,"type":"web_search_call","status":"in_progress"}' % self._item,
        )
        for stage in ("in_progress", "searching"):
            self._put(stage)

    def _put(self, stage: str) -> None:
        place = b'"item_id":%b,"output_index":%d' % (self._item, self._index)
        self._output.put(Kind.OUTPUT, f"response.web_search_call.{stage}", place)

    def begin(self, block: Block) -> None:
        """Take what the block already holds."""
        if bytes(block.input)[:1] == b"{":
            self._input = bytes(block.input)

    def take(self, delta: Delta) -> None:
        """Take a piece of what is sought."""
        if bytes(delta.partial_json)[:1] == b'"':
            self._said.append(delta.partial_json)

    def stop(self) -> None:
        """Wait for the result."""

    def finish(self, content: Raw = NULL) -> None:
        """End it with what was found; None of it where it failed, or was never answered."""
        try:
            urls = [bytes(each.url) for each in _decode_found(content)]
            status = b"completed"
        except msgspec.MsgspecError:
            urls, status = [], b"failed"
        sources = b",".join(b'{"type":"url","url":%b}' % url for url in urls if url[:1] == b'"')
        self._put("completed")
        action = b'{"type":"search","query":%b,"sources":[%b]}' % (self._query(), sources)
        self._output.finish(
            self._index,
            b'{"id":%b,"type":"web_search_call","status":"%b","action":%b}'
            % (self._item, status, action),
        )

    def _query(self) -> bytes:
        text = joined(self._said)
        try:
            said = _decode_query(_decode_text(text).encode() if text != EMPTY else self._input)
        except msgspec.MsgspecError:
            return EMPTY
        return bytes(said.query) if bytes(said.query)[:1] == b'"' else EMPTY
