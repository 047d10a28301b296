"""Blocks of text and of thinking as messages and reasoning, each written as its pieces come.

Law: every item is begun and finished in full; its texts are the raw JSON of the pieces, put
together as they are.
"""

from typing import Final

import msgspec
from msgspec import Raw

from longwire.core.events import Kind
from longwire.dialects.messages.from_items import COMPACTION, ISSUER, REDACTED
from longwire.dialects.messages.reading_frames import Block, Delta
from longwire.dialects.messages.render import joined
from longwire.dialects.raw_json import NULL, tolerant
from longwire.dialects.responses import output_events
from longwire.dialects.responses.output import EMPTY, Output, head_of
from longwire.dialects.seals import Seal, sealed

_encode: Final = msgspec.json.Encoder().encode
_decode_text: Final = tolerant(msgspec.json.Decoder(str).decode)


class _Citation(msgspec.Struct):
    url: Raw = NULL
    title: Raw = NULL


_decode_citation: Final = tolerant(msgspec.json.Decoder(_Citation).decode)


class MessageItem:
    """A message: a part for each block of text, as long as nothing else comes between."""

    __slots__ = ("_index", "_item", "_output", "_parts")

    def __init__(self, output: Output) -> None:
        self._output = output
        self._index, self._item = output.begin("msg")
        self._parts: list[bytes] = []
        output.add(self._index, self._raw(b"in_progress"))

    def _raw(self, status: bytes) -> bytes:
        return b'{"id":%b,"type":"message","status":"%b","role":"assistant","content":[%b]}' % (
            self._item,
            status,
            b",".join(self._parts),
        )

    def part(self) -> "TextPart":
        """Begin the next part."""
        place = b'"item_id":%b,"output_index":%d,"content_index":%d' % (
            self._item,
            self._index,
            len(self._parts),
        )
        return TextPart(self._output, self._parts, place)

    def finish(self) -> None:
        """End the message."""
        self._output.finish(self._index, self._raw(b"completed"))


class TextPart:
    """A block of text as a part of its message; what it cites is annotated at its end."""

    __slots__ = ("_citations", "_head", "_output", "_parts", "_place", "_said")

    def __init__(self, output: Output, parts: list[bytes], place: bytes) -> None:
        self._output, self._parts, self._place = output, parts, place
        self._head = head_of(output_events.TEXT, place + b',"logprobs":[]')
        self._said: list[Raw] = []
        self._citations: list[Raw] = []
        output.put(
            Kind.OUTPUT,
            "response.content_part.added",
            b'%b,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}' % place,
        )

    def begin(self, block: Block) -> None:
        """Take what the block already holds."""
        self._say(block.text)
        self._citations += block.citations or ()

    def take(self, delta: Delta) -> None:
        """Take a piece."""
        if delta.citation is not NULL:
            self._citations.append(delta.citation)
        self._say(delta.text)

    def _say(self, text: Raw) -> None:
        raw = bytes(text)
        if raw[:1] == b'"' and raw != EMPTY:
            self._said.append(text)
            self._output.piece(output_events.TEXT, self._head, raw)

    def stop(self) -> None:
        """End the part."""
        output, place = self._output, self._place
        text = joined(self._said)
        annotations = self._annotations(text) if self._citations else []
        for number, annotation in enumerate(annotations):
            said = b'%b,"annotation_index":%d,"annotation":%b' % (place, number, annotation)
            output.put(Kind.OUTPUT, "response.output_text.annotation.added", said)
        output.put(
            Kind.OUTPUT, "response.output_text.done", b'%b,"text":%b,"logprobs":[]' % (place, text)
        )
        part = b'{"type":"output_text","annotations":[%b],"logprobs":[],"text":%b}' % (
            b",".join(annotations),
            text,
        )
        output.put(Kind.OUTPUT, "response.content_part.done", b'%b,"part":%b' % (place, part))
        self._parts.append(part)

    def _annotations(self, text: bytes) -> list[bytes]:
        """Return the pages that are cited, each for all of the text."""
        size = len(_decode_text(text))
        return [
            b'{"type":"url_citation","start_index":0,"end_index":%d,"url":%b,"title":%b}'
            % (size, bytes(cited.url), bytes(cited.title) if cited.title is not NULL else EMPTY)
            for cited in map(_citation, self._citations)
            if bytes(cited.url)[:1] == b'"'
        ]


def _citation(raw: Raw) -> _Citation:
    try:
        return _decode_citation(raw)
    except msgspec.MsgspecError:
        return _Citation()


class Thought:
    """A block of thinking as reasoning, with its signature sealed."""

    __slots__ = ("_head", "_index", "_item", "_output", "_place", "_said", "_signature")

    def __init__(self, output: Output) -> None:
        self._output = output
        self._index, self._item = output.begin("rs")
        self._place = b'"item_id":%b,"output_index":%d,"summary_index":0' % (
            self._item,
            self._index,
        )
        self._head = head_of(output_events.SUMMARY, self._place)
        self._said: list[Raw] = []
        self._signature = ""
        output.add(self._index, b'{"id":%b,"type":"reasoning","summary":[]}' % self._item)

    def begin(self, block: Block) -> None:
        """Take what the block already holds."""
        self._signature = block.signature or ""
        self._say(block.thinking)

    def take(self, delta: Delta) -> None:
        """Take a piece, or the signature, which comes whole."""
        if delta.signature is not None:
            self._signature = delta.signature
        self._say(delta.thinking)

    def _say(self, text: Raw) -> None:
        raw = bytes(text)
        if raw[:1] != b'"' or raw == EMPTY:
            return
        if not self._said:
            part = b'%b,"part":{"type":"summary_text","text":""}' % self._place
            self._output.put(Kind.OUTPUT, output_events.SUMMARY_PART, part)
        self._said.append(text)
        self._output.piece(output_events.SUMMARY, self._head, raw)

    def stop(self) -> None:
        """End the reasoning."""
        output, parts = self._output, b""
        if self._said:
            text = joined(self._said)
            parts = b'{"type":"summary_text","text":%b}' % text
            said = b'%b,"text":%b' % (self._place, text)
            output.put(Kind.OUTPUT, "response.reasoning_summary_text.done", said)
            said = b'%b,"part":%b' % (self._place, parts)
            output.put(Kind.OUTPUT, "response.reasoning_summary_part.done", said)
        seal = _encode(sealed(Seal(ISSUER, self._signature))) if self._signature else b"null"
        output.finish(self._index, _reasoning(self._item, parts, seal))


def _reasoning(item: bytes, parts: bytes, seal: bytes) -> bytes:
    return b'{"id":%b,"type":"reasoning","summary":[%b],"encrypted_content":%b}' % (
        item,
        parts,
        seal,
    )


def put_redacted(output: Output, data: str) -> None:
    """Write reasoning that nobody may read."""
    index, item = output.begin("rs")
    output.add(index, b'{"id":%b,"type":"reasoning","summary":[]}' % item)
    seal = _encode(sealed(Seal(ISSUER, data, REDACTED)))
    output.finish(index, _reasoning(item, b"", seal))


class Compaction:
    """A summary of what was said before, which stands for it from here on."""

    __slots__ = ("_output", "_text")

    def __init__(self, output: Output) -> None:
        self._output = output
        self._text = EMPTY

    def begin(self, block: Block) -> None:
        """Take what the block already holds."""
        self._say(block.content)

    def take(self, delta: Delta) -> None:
        """Take the summary, which comes whole."""
        self._say(delta.content)

    def _say(self, text: Raw) -> None:
        if bytes(text)[:1] == b'"':
            self._text = bytes(text)

    def stop(self) -> None:
        """Write it."""
        index, item = self._output.begin("cmp")
        seal = _encode(sealed(Seal(ISSUER, _decode_text(self._text), COMPACTION)))
        raw = b'{"id":%b,"type":"compaction","encrypted_content":%b}' % (item, seal)
        self._output.add(index, raw)
        self._output.finish(index, raw)
