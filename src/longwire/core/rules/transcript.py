"""What one downstream connection sent and received, so that it can be sent upstream in full.

Law: a response's history is every item from its chain's beginning, in order, or it is not known at
all. The newest responses are kept, up to a number and a size; all else is forgotten.
"""

from collections import OrderedDict
from dataclasses import dataclass

MOST_RESPONSES = 64
_OVERHEAD = 256
"""What a link costs beside its items, in bytes."""


@dataclass(slots=True, eq=False)
class Link:
    """One response and what led to it: `items`, the new input items and the output, as raw JSON.

    They stand as inside an array, "" for none. `length` counts all items from the beginning on,
    `holders` how many responses and later links need it.
    """

    response_id: str
    parent: "Link | None"
    items: bytes
    length: int
    holders: int = 0

    @property
    def size(self) -> int:
        """What it costs, in bytes."""
        return len(self.items) + _OVERHEAD

    def history(self) -> list[bytes]:
        """Return the items of every link from the beginning to this one."""
        parts: list[bytes] = []
        link: Link | None = self
        while link is not None:
            parts.append(link.items)
            link = link.parent
        parts.reverse()
        return parts


class Transcript:
    """The responses of one connection that can be gone on from, at most `most_bytes` of them."""

    __slots__ = ("_links", "_most_bytes", "_most_responses", "size")

    def __init__(self, most_bytes: int, most_responses: int = MOST_RESPONSES) -> None:
        self._most_bytes = most_bytes
        self._most_responses = most_responses
        self._links: OrderedDict[str, Link] = OrderedDict()
        self.size = 0

    def __repr__(self) -> str:
        return f"<Transcript responses={len(self._links)} bytes={self.size}>"

    def find(self, response_id: str | None) -> Link | None:
        """Return the response with this id, if its whole history is known."""
        return self._links.get(response_id) if response_id is not None else None

    def keep(self, link: Link) -> None:
        """Keep a response, and forget the oldest ones where there are too many or they are large.

        A history that is too large by itself is forgotten whole: half of one is of no use.
        """
        self._forget(link.response_id)
        self._links[link.response_id] = link
        self._retain(link)
        while len(self._links) > self._most_responses or self.size > self._most_bytes:
            self._forget(next(iter(self._links)))

    def _forget(self, response_id: str) -> None:
        link = self._links.pop(response_id, None)
        if link is not None:
            self._release(link)

    def _retain(self, link: Link | None) -> None:
        while link is not None:
            link.holders += 1
            if link.holders > 1:
                return
            self.size += link.size
            link = link.parent

    def _release(self, link: Link | None) -> None:
        while link is not None:
            link.holders -= 1
            if link.holders:
                return
            self.size -= link.size
            link = link.parent
