"""Model lists of upstreams, in the forms of the APIs that there are, page by page."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

HEADERS: Final = {"anthropic-version": "2023-06-01"}
"""What Anthropic wants of whoever asks, and others do not read."""

MOST_PAGES: Final = 100
_RESOURCE: Final = "models/"


class Page(NamedTuple):
    """Entries of a list as raw JSON by their names, and the query of the next page, if any."""

    entries: Mapping[str, bytes]
    following: Mapping[str, str]


class _Model(msgspec.Struct):
    id: str | None = None
    slug: str | None = None
    name: str | None = None

    @property
    def own(self) -> str:
        """Its name: Gemini's has none but that of a resource, `models/gemini-3-pro-preview`."""
        return self.id or self.slug or (self.name or "").removeprefix(_RESOURCE)


class _Models(msgspec.Struct):
    data: list[msgspec.Raw] = msgspec.field(default_factory=list)
    models: list[msgspec.Raw] = msgspec.field(default_factory=list)
    has_more: Any = None
    last_id: Any = None
    next_page_token: Any = msgspec.field(name="nextPageToken", default=None)


def page_of(body: bytes) -> Page:
    """Read one page of a list. Raises `msgspec.MsgspecError` for what is none."""
    listed = msgspec.json.decode(body, type=_Models)
    named = [
        (msgspec.json.decode(raw, type=_Model).own, bytes(raw))
        for raw in (*listed.data, *listed.models)
    ]
    return Page({name: raw for name, raw in named if name}, _following(listed))


def _following(listed: _Models) -> dict[str, str]:
    """Return the query of the next page: Gemini's by a token, Anthropic's by the last id."""
    if isinstance(listed.next_page_token, str) and listed.next_page_token:
        return {"pageToken": listed.next_page_token}
    if listed.has_more is True and isinstance(listed.last_id, str):
        return {"after_id": listed.last_id}
    return {}
