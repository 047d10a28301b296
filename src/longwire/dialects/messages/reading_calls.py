"""Calls of tools and searches of the web as items, each written as its pieces come."""

from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.events import Kind
from longwire.dialects.messages.from_tools import BY_TYPE
from longwire.dialects.messages.reading_frames import Block, Delta
from longwire.dialects.messages.reading_output import EMPTY, Output, head_of
from longwire.dialects.messages.render import joined
from longwire.dialects.messages.upstream_names import ClientTool
from longwire.dialects.raw_json import NULL, tolerant
from longwire.dialects.responses import output_events

_PATCH: Final = BY_TYPE["apply_patch"][0]
_PREFIXES: Final = {"function_call": "fc", "custom_tool_call": "ctc"}
_encode: Final = msgspec.json.Encoder().encode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


class _Input(msgspec.Struct):
    input: Raw


class _Query(msgspec.Struct):
    query: Raw = NULL


class _Found(msgspec.Struct):
    url: Raw = NULL


_decode_input: Final = tolerant(msgspec.json.Decoder(_Input).decode)
_decode_object: Final = tolerant(msgspec.json.Decoder(dict[str, Raw]).decode)
_decode_query: Final = tolerant(msgspec.json.Decoder(_Query).decode)
_decode_found: Final = tolerant(msgspec.json.Decoder(list[_Found]).decode)


class Call:
    """A call of a tool that the client runs, as the item that its tool was offered with."""

    __slots__ = ("_call_id", "_head", "_index", "_input", "_item", "_output", "_said", "_tool")

    def __init__(self, output: Output, tool: ClientTool, call_id: str) -> None:
        self._output, self._tool = output, tool
        self._index, self._item = output.begin(_PREFIXES.get(tool.item, "call"))
        self._call_id = _encode(call_id or f"call_{output.response_id}_{self._index}")
        self._head = head_of(output_events.ARGUMENTS, self._place)
        self._said: list[Raw] = []
        self._input = b"{}"

    @property
    def _place(self) -> bytes:
        return b'"item_id":%b,"output_index":%d' % (self._item, self._index)

    @property
    def _is_function(self) -> bool:
        return self._tool.item == "function_call"

    def begin(self, block: Block) -> None:
        """Say that it is called; an input that is whole already waits for its end."""
        if bytes(block.input)[:1] == b"{":
            self._input = bytes(block.input)
        if self._is_function:
            self._output.add(self._index, self._raw(b'"arguments":""', b"in_progress"))
        elif self._tool.item == "custom_tool_call":
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
        elif self._tool.item == "custom_tool_call":
            self._stop_custom(text, status)
        else:
            self._stop_typed(text, status)

    def _stop_function(self, text: bytes, status: bytes) -> None:
        said = b'%b,"name":%b,"arguments":%b' % (self._place, _encode(self._tool.name), text)
        self._output.put(Kind.OUTPUT, "response.function_call_arguments.done", said)
        self._output.finish(self._index, self._raw(b'"arguments":' + text, status))

    def _stop_custom(self, text: bytes, status: bytes) -> None:
        try:
            value = bytes(_decode_input(_decode_text(text).encode()).input)
        except msgspec.MsgspecError:
            value = text
        value = value if value[:1] == b'"' else text
        head = head_of(output_events.CUSTOM_INPUT, self._place)
        self._output.piece(output_events.CUSTOM_INPUT, head, value)
        said = b'%b,"input":%b' % (self._place, value)
        self._output.put(Kind.OUTPUT, "response.custom_tool_call_input.done", said)
        self._output.finish(self._index, self._raw(b'"input":' + value, status))

    def _stop_typed(self, text: bytes, status: bytes) -> None:
        action = _decode_text(text).encode() if _is_object(text) else b"{}"
        member = b"operation" if self._tool.item == _PATCH else b"action"
        raw = b'{"id":%b,"type":"%b","call_id":%b,"status":"%b","%b":%b}' % (
            self._item,
            self._tool.item.encode(),
            self._call_id,
            status,
            member,
            action,
        )
        self._output.add(self._index, raw)
        self._output.finish(self._index, raw)

    def _raw(self, said: bytes, status: bytes) -> bytes:
        tool = self._tool
        space = b',"namespace":' + _encode(tool.namespace) if tool.namespace else b""
        return b'{"id":%b,"type":"%b","status":"%b","call_id":%b,"name":%b%b,%b}' % (
            self._item,
            tool.item.encode(),
            status,
            self._call_id,
            _encode(tool.name),
            space,
            said,
        )


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
