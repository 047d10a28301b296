"""Fold the events of one response into what its end needs: its opening state and its items.

Raw JSON throughout; the dialects know how to compose it.
"""

from longwire.core.events import Event


class Aggregate:
    """What was seen of one response: `opening` is the latest event that carried its state."""

    __slots__ = ("_items", "opening", "terminal")

    def __init__(self) -> None:
        self.opening: Event | None = None
        self.terminal: Event | None = None
        self._items: dict[int, bytes] = {}

    def add_item(self, index: int, raw: bytes) -> None:
        """Keep one finished output item; a later one of the same index replaces it."""
        self._items[index] = raw

    @property
    def output(self) -> list[bytes]:
        """The finished output items in the order of their `output_index`."""
        return [self._items[index] for index in sorted(self._items)]
