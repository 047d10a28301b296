"""Output items of the Responses API as content blocks, each whole.

Law: one item is one block, in the same order; a message whose phase no reasoning before it carries
has a block of its own for it. What the API cannot say is left out, and so is what is sealed behind
a text that ends the answer: clients take the last block for it.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from longwire.dialects.messages.assistant import SEARCH_ID
from longwire.dialects.messages.ids import CallIds
from longwire.dialects.messages.options import Options
from longwire.dialects.messages.thinking import phase_alone, sealed
from longwire.dialects.raw_json import NULL, splice, tolerant
from longwire.dialects.responses.odd_output import reading_item, text_of
from longwire.dialects.stops import Cutter

_BETWEEN: Final = b"\\n\\n"
_EMPTY: Final = b'""'
_TEXT: Final = b'{"type":"text"'
encode: Final = msgspec.json.Encoder().encode


class Part(msgspec.Struct):
    """One part of a message, or of a summary; texts stay raw."""

    type: str = ""
    text: Raw = NULL
    refusal: Raw = NULL

    @property
    def is_refusal(self) -> bool:
        """Whether the model refused; a part without a type says so by its only text."""
        return self.type == "refusal" or (not self.type and self.text == NULL != self.refusal)


class Item(msgspec.Struct):
    """What is read of one output item."""

    type: str = ""
    id: Raw = NULL
    call_id: str | None = None
    name: str | None = None
    arguments: Raw = NULL
    content: list[Part] | None = None
    summary: list[Part] | None = None
    encrypted_content: Raw = NULL
    phase: str | None = None
    action: Raw = NULL
    status: Raw = NULL

    @property
    def text(self) -> bytes:
        """The text of a message, parts joined, as raw JSON."""
        parts = self.content or ()
        plain = "output_text"
        return joined(
            [
                part.text if part.type == plain or not part.is_refusal else part.refusal
                for part in parts
            ]
        )

    @property
    def is_refusal(self) -> bool:
        """Whether the model refused."""
        return any(part.type != "output_text" and part.is_refusal for part in self.content or ())

    @property
    def thoughts(self) -> bytes:
        """What reasoning shows of itself, as raw JSON."""
        return joined([part.text for part in self.summary or self.content or ()], _BETWEEN)

    @property
    def is_anchored(self) -> bool:
        """Whether reasoning can be sent back: it has an id, or what it was."""
        return bytes(self.id) != b"null" or bytes(self.encrypted_content) != b"null"


class _Source(msgspec.Struct):
    url: Raw = NULL


class _Action(msgspec.Struct):
    sources: list[_Source] | None = None


_decode_item: Final = reading_item(msgspec.json.Decoder(Item).decode)
decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)
_decode_object: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_action: Final = tolerant(msgspec.json.Decoder(_Action).decode)


def joined(texts: Sequence[Raw], between: bytes = b"") -> bytes:
    """Return raw JSON texts as one."""
    values = [bytes(text) for text in texts]
    written = [(raw if raw[:1] == b'"' else text_of(raw))[1:-1] for raw in values]
    return b'"%b"' % between.join(filter(None, written))


def rest_of(said: Sequence[bytes], whole: bytes | Raw) -> bytes:
    """Return what a text has behind what was said of it; all of it is raw JSON.

    It is empty where the text does not begin with that, or is none.
    """
    text, before = bytes(whole), joined([Raw(each) for each in said])
    if text[:1] != b'"':
        return _EMPTY
    if text.startswith(before[:-1]):
        return b'"%b' % text[len(before) - 1 :]
    known, wanted = decode_text(before), decode_text(text)
    return encode(wanted[len(known) :]) if wanted.startswith(known) else _EMPTY


def phase_of(item: Item | None) -> str | None:
    """Return the phase of a message; nothing else has one."""
    return item.phase if item is not None and item.type == "message" else None


def item_of(raw: bytes | Raw) -> Item:
    """Return an output item; one that is malformed says nothing."""
    try:
        return _decode_item(raw)
    except (msgspec.MsgspecError, RecursionError):
        return Item()


def thoughts_of(item: Item, options: Options) -> bytes:
    """Return the text of reasoning that the client is shown, as raw JSON."""
    return b'""' if options.omits_text else item.thoughts


def thinking_block(item: Item, phase: str | None, options: Options) -> bytes:
    """Return the block of reasoning, b"" for what shows nothing and cannot be sent back."""
    text = thoughts_of(item, options)
    if len(text) <= len('""') and not item.is_anchored:
        return b""
    seal = encode(sealed(item.id, item.encrypted_content, phase))
    if len(text) > len('""') or options.omits_text:
        return b'{"type":"thinking","thinking":%b,"signature":%b}' % (text, seal)
    return b'{"type":"redacted_thinking","data":%b}' % seal


def phase_block(phase: str) -> bytes:
    """Return the block that carries the phase of the message behind it."""
    return b'{"type":"redacted_thinking","data":%b}' % encode(phase_alone(phase))


def call_start(item: Item, index: int, options: Options, ids: CallIds) -> bytes:
    """Return the beginning of the block of a call, up to its input."""
    own = item.call_id or (decode_text(item.id) if bytes(item.id)[:1] == b'"' else f"call_{index}")
    name = item.name or ""
    return b'{"type":"tool_use","id":%b,"name":%b,"input":' % (
        encode(ids.unique(own)),
        encode(options.originals.get(name, name)),
    )


def input_of(arguments: Raw) -> bytes:
    """Return the arguments of a call as an object; what is none is wrapped, as clients do it."""
    raw = text_of(arguments)
    text = decode_text(raw)
    if not text or text.isspace():
        return b"{}"
    try:
        _decode_object(text)
    except (msgspec.MsgspecError, RecursionError):
        return b'{"__unparsedToolInput":{"raw":%b,"len":%d}}' % (raw, len(text))
    return text.encode()


class Search(NamedTuple):
    """A search as blocks: the first up to its input, the input, and the block of its result."""

    start: bytes
    action: bytes
    result: bytes


def search_of(item: Item) -> Search | None:
    """Return a search and what it found; None where it cannot be named again."""
    action = bytes(item.action)
    if bytes(item.id)[:1] != b'"' or action[:1] != b"{":
        return None
    identity = encode(SEARCH_ID + decode_text(item.id))
    sources: Sequence[_Source] = ()
    try:
        sources = _decode_action(action).sources or ()
        is_listed = bool(sources)
    except msgspec.MsgspecError:
        is_listed = True  # they are no sources, of which nothing is said
    if is_listed:
        action = splice(action, {"sources": None})
    found = b",".join(
        b'{"type":"web_search_result","url":%b,"title":%b,"encrypted_content":"","page_age":null}'
        % (bytes(source.url), bytes(source.url))
        for source in sources
        if bytes(source.url)[:1] == b'"'
    )
    return Search(
        b'{"type":"server_tool_use","id":%b,"name":"web_search","input":' % identity,
        action,
        b'{"type":"web_search_tool_result","tool_use_id":%b,"content":[%b]}' % (identity, found),
    )


class Content:
    """The content of a whole answer as raw JSON, and what says how it ended."""

    def __init__(self, output: Sequence[bytes], options: Options, sent: bytes = b"") -> None:
        self.has_calls = self.is_refused = False
        self.stop_sequence: str | None = None
        self._options = options
        self._ids = CallIds(sent)
        self._blocks: list[bytes] = []
        self._write([item_of(raw) for raw in output])
        self.raw = b"[" + b",".join(self._blocks) + b"]"

    def _write(self, items: Sequence[Item]) -> None:
        options, is_carried = self._options, False
        for index, item in enumerate(items):
            behind = items[index + 1] if index + 1 < len(items) else None
            block = b""
            match item.type:
                case "message":
                    self._blocks += self._message(item, is_carried=is_carried)
                    if self.stop_sequence is not None:
                        return
                case "reasoning" if options.shows_thinking:
                    if behind is None and self._ends_with_text(item):
                        return
                    block = thinking_block(item, phase_of(behind), options)
                case "function_call":
                    self.has_calls = True
                    start = call_start(item, index, options, self._ids)
                    block = start + input_of(item.arguments) + b"}"
                case "web_search_call":
                    search = search_of(item)
                    if search is not None:
                        self._blocks += (search.start + search.action + b"}", search.result)
                case _:
                    pass
            is_carried = item.type == "reasoning" and bool(block)
            if block:
                self._blocks.append(block)

    def _ends_with_text(self, last: Item) -> bool:
        """Whether only reasoning that shows nothing stands behind a text, which then is the end."""
        is_behind_text = self._blocks[-1:] and self._blocks[-1].startswith(_TEXT)
        return bool(is_behind_text) and thoughts_of(last, self._options) == _EMPTY

    def _message(self, item: Item, *, is_carried: bool) -> Iterator[bytes]:
        text, options = item.text, self._options
        self.is_refused = self.is_refused or item.is_refusal
        if options.stop_sequences:
            cutter = Cutter(options.stop_sequences)
            shown = cutter.feed(decode_text(text))
            self.stop_sequence = cutter.found
            text = encode(shown + cutter.rest())
        if len(text) > len('""'):
            if item.phase is not None and options.shows_thinking and not is_carried:
                yield phase_block(item.phase)
            yield b'{"type":"text","text":%b}' % text
