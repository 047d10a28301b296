"""What a message of Chat Completions says beside its text: reasoning, images, annotations."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Raw

from longwire.dialects.chat_completions.messages import FORMAT
from longwire.dialects.raw_json import split_items, tolerant
from longwire.dialects.seals import marked

_FORMAT = msgspec.json.encode(FORMAT)
_TYPES = {b'"/9j/': b"jpeg", b'"UklGR': b"webp", b'"R0lGOD': b"gif"}
"""Types of images by what their base64 begins with; any other is taken for PNG."""


class _Annotation(msgspec.Struct):
    type: str = ""
    start_index: int = 0
    end_index: int = 0
    title: Raw = Raw(b'""')
    url: Raw = Raw(b'""')


_decode_annotation = tolerant(msgspec.json.Decoder(_Annotation).decode)


def details_of(item_id: bytes, encrypted: bytes, summary: Sequence[bytes], index: int) -> bytes:
    """Return the details of a reasoning item, each part of its summary and what is encrypted.

    All is raw JSON; `index` is where the item stands among those that are shown. An id is a text.
    """
    item_id = item_id if item_id[:1] == b'"' else b"null"
    end = b'"id":%b,"format":%b,"index":%d}' % (item_id, _FORMAT, index)
    said = [b'{"type":"reasoning.summary","summary":%b,%b' % (each, end) for each in summary]
    said.append(b'{"type":"reasoning.encrypted","data":%b,%b' % (marked(encrypted), end))
    return b"[%b]" % b",".join(said)


def images_of(result: bytes, index: int) -> bytes:
    """Return an image that the model made, base64 as raw JSON, as OpenRouter shows one."""
    kind = next((kind for start, kind in _TYPES.items() if result.startswith(start)), b"png")
    url = b'"data:image/%b;base64,%b' % (kind, result[1:])
    return b'[{"type":"image_url","image_url":{"url":%b},"index":%d}]' % (url, index)


def shifted_annotations(raw: bytes, begins_at: int) -> bytes:
    """Return the URLs that a text cites, which begins there in the content; b"" for none."""
    if raw in (b"[]", b"null"):
        return b""
    said = [
        b'{"type":"url_citation","url_citation":'
        b'{"start_index":%d,"end_index":%d,"title":%b,"url":%b}}'
        % (each.start_index + begins_at, each.end_index + begins_at, each.title, each.url)
        for each in _annotations(raw)
        if each.type == "url_citation"
    ]
    return b"[%b]" % b",".join(said) if said else b""


def _annotations(raw: bytes) -> Iterator[_Annotation]:
    """Read each annotation of a text, but such as are none."""
    for each in split_items(raw) if raw[:1] == b"[" else ():
        try:
            yield _decode_annotation(each)
        except msgspec.MsgspecError:
            continue
