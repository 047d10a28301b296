"""What Google's search has found, as a search call and as citations in the text."""

from collections.abc import Iterator
from typing import Final

import msgspec

from longwire.dialects.generate_content.chunks import Grounding, Web

_encode: Final = msgspec.json.Encoder().encode


def citations(grounding: Grounding, text: str) -> Iterator[bytes]:
    """Give the citations of a text. Gemini counts its bytes, the Responses API its characters."""
    pages = _pages(grounding)
    written = text.encode("utf-8", "replace")
    for support in grounding.grounding_supports or ():
        segment = support.segment
        if segment is None:
            continue
        start = _characters(written, segment.start_index or 0)
        end = _characters(written, segment.end_index or 0)
        for index in support.grounding_chunk_indices or ():
            page = pages.get(index)
            if page is not None:
                yield _citation(page, start, end)


def _citation(page: Web, start: int, end: int) -> bytes:
    return _encode(
        {
            "type": "url_citation",
            "start_index": start,
            "end_index": end,
            "url": page.uri,
            "title": page.title or page.uri,
        }
    )


def _characters(text: bytes, size: int) -> int:
    return len(text[: max(size, 0)].decode("utf-8", "ignore"))


def _pages(grounding: Grounding) -> dict[int, Web]:
    chunks = enumerate(grounding.grounding_chunks or ())
    return {at: chunk.web for at, chunk in chunks if chunk.web is not None and chunk.web.uri}


def search_of(grounding: Grounding) -> bytes:
    """Return the members of the search call that an answer was grounded by, b"" for none."""
    queries = grounding.web_search_queries or []
    pages = _pages(grounding).values()
    if not queries and not pages:
        return b""
    action = {
        "type": "search",
        "query": queries[0] if queries else "",
        "queries": queries,
        "sources": [{"type": "url", "url": page.uri} for page in pages],
    }
    return b'"action":' + _encode(action)
