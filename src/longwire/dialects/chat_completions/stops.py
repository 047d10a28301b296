"""Stop sequences, which the Responses API does not know: the text is cut before the first one.

Law: however a text is split, the same of it is shown.
"""

from collections import deque
from collections.abc import Sequence

import msgspec
from msgspec import Raw


class _Token(msgspec.Struct):
    token: str = ""


_decode_token = msgspec.json.Decoder(_Token).decode
_decode_tokens = msgspec.json.Decoder(list[Raw]).decode


class StopCut:
    """Shows a text up to the first of some sequences; holds back what could begin one."""

    __slots__ = ("_held", "_longest", "_shown", "_stops", "_tokens", "is_cut")

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._longest = max(map(len, stops), default=0)
        self._held = ""
        self._shown = 0
        self._tokens: deque[tuple[int, bytes]] = deque()
        self.is_cut = False

    def show(self, text: str, logprobs: bytes = b"[]") -> tuple[str, bytes]:
        """Take more of the text, and return what is shown of all that came, with its logprobs."""
        self._keep(logprobs)
        text = self._held + text
        ends = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.is_cut = True
            shown = text[: min(ends)[1]]
        else:
            shown = text[: len(text) - self._suffix(text)]
            self._held = text[len(shown) :]
        return shown, self._take(shown)

    def rest(self) -> tuple[str, bytes]:
        """Return what was held back, once nothing more can come."""
        shown, self._held = ("" if self.is_cut else self._held), ""
        return shown, self._take(shown)

    def _suffix(self, text: str) -> int:
        """Return the length of the longest end of a text that could begin a sequence."""
        for size in range(min(len(text), self._longest - 1), 0, -1):
            end = text[-size:]
            if any(stop.startswith(end) for stop in self._stops):
                return size
        return 0

    def _keep(self, logprobs: bytes) -> None:
        for raw in _decode_tokens(logprobs):
            self._tokens.append((len(_decode_token(raw).token), bytes(raw)))

    def _take(self, shown: str) -> bytes:
        """Return the logprobs of the tokens that are shown whole."""
        self._shown += len(shown)
        taken: list[bytes] = []
        while self._tokens and self._tokens[0][0] <= self._shown:
            length, raw = self._tokens.popleft()
            self._shown -= length
            taken.append(raw)
        return b"[%b]" % b",".join(taken)
