"""A text with its logprobs, cut before the first stop sequence."""

from collections import deque
from collections.abc import Sequence

import msgspec
from msgspec import Raw

from longwire.dialects.stops import Cutter


class _Token(msgspec.Struct):
    token: str = ""


_decode_token = msgspec.json.Decoder(_Token).decode
_decode_tokens = msgspec.json.Decoder(list[Raw]).decode


class StopCut:
    """Shows a text up to the first of some sequences, and the logprobs of what is shown."""

    __slots__ = ("_cutter", "_shown", "_tokens")

    def __init__(self, stops: Sequence[str]) -> None:
        self._cutter = Cutter(stops)
        self._shown = 0
        self._tokens: deque[tuple[int, bytes]] = deque()

    @property
    def is_cut(self) -> bool:
        """Whether a sequence was found."""
        return self._cutter.found is not None

    def show(self, text: str, logprobs: bytes = b"[]") -> tuple[str, bytes]:
        """Take more of the text, and return what is shown of all that came, with its logprobs."""
        self._keep(logprobs)
        shown = self._cutter.feed(text)
        return shown, self._take(shown)

    def rest(self) -> tuple[str, bytes]:
        """Return what was held back, once nothing more can come."""
        shown = self._cutter.rest()
        return shown, self._take(shown)

    def _keep(self, logprobs: bytes) -> None:
        for raw in _decode_tokens(logprobs):
            self._tokens.append((_length(raw), bytes(raw)))

    def _take(self, shown: str) -> bytes:
        """Return the logprobs of the tokens that are shown whole."""
        self._shown += len(shown)
        taken: list[bytes] = []
        while self._tokens and self._tokens[0][0] <= self._shown:
            length, raw = self._tokens.popleft()
            self._shown -= length
            taken.append(raw)
        return b"[%b]" % b",".join(taken)


def _length(raw: Raw) -> int:
    """Return how long the text of a token is, 0 where it has none."""
    try:
        return len(_decode_token(raw).token)
    except msgspec.MsgspecError:
        return 0
