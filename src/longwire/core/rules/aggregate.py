"""Fold the events of one response into what its end needs: its opening state and its items.

Raw JSON throughout; the dialects know how to compose it.
"""

from dataclasses import dataclass, field

from longwire.core.events import Event


@dataclass(slots=True)
class Aggregate:
    """What was seen of one response: `opening` is the latest event that carried its state.

    `output_events` counts its events of output, most of which are deltas.
    """

    opening: Event | None = None
    terminal: Event | None = None
    output_events: int = 0
    _items: dict[int, bytes] = field(default_factory=dict)

    def begin_anew(self) -> None:
        """Forget the items so far: the upstream has begun its answer once more."""
        self._items.clear()

    def add_item(self, index: int, raw: bytes) -> None:
        """Keep one finished output item; a later one of the same index replaces it."""
        self._items[index] = raw

    @property
    def output(self) -> list[bytes]:
        """The finished output items in the order of their `output_index`."""
        return [self._items[index] for index in sorted(self._items)]
