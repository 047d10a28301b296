"""Stop sequences, which no upstream knows: the text is cut where the first of them is complete."""

from collections.abc import Sequence


class Cutter:
    """Cuts one text that comes in pieces; `found` is the sequence that it was cut at.

    Law: however a text is split, the same is cut. What might begin a sequence is held back.
    """

    __slots__ = ("_held", "_sequences", "found")

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = sequences
        self._held = ""
        self.found: str | None = None

    @property
    def holds(self) -> bool:
        """Whether some of the text waits for more."""
        return bool(self._held)

    def feed(self, text: str) -> str:
        """Return what can be shown of the text so far."""
        text = self._held + text
        ends = [
            (at + len(each), at, each) for each in self._sequences if (at := text.find(each)) >= 0
        ]
        if ends:
            _, at, self.found = min(ends)
            self._held = ""
            return text[:at]
        shown = len(text) - self._open_end(text)
        self._held = text[shown:]
        return text[:shown]

    def _open_end(self, text: str) -> int:
        """Return how many characters at the end may begin a sequence."""
        longest = max(map(len, self._sequences), default=1) - 1
        for size in range(min(longest, len(text)), 0, -1):
            if any(each.startswith(text[-size:]) for each in self._sequences):
                return size
        return 0

    def rest(self) -> str:
        """Return what was held back, for the text is over."""
        held, self._held = self._held, ""
        return held
