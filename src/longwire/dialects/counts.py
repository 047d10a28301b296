"""How many tokens a request would be: counted by the upstream, else estimated here."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from longwire.core.events import Event
from longwire.core.rules.turn import Turn
from longwire.dialects.ports import Problem
from longwire.dialects.responses.usage import expected_usage


class _Count(msgspec.Struct):
    input_tokens: int


class _Counted(msgspec.Struct):
    response: _Count


_decode = msgspec.json.Decoder(_Counted).decode


@dataclass(frozen=True, slots=True)
class Counts:
    """The answer to a question for tokens, which never streams.

    `form` is what a client reads of a count, `envelope` of an error.
    """

    form: bytes
    envelope: Callable[[Problem], bytes]

    @property
    def is_cut(self) -> bool:
        """Whether the gateway has ended it: never."""
        return False

    def keep_alive(self) -> bytes:
        """Return nothing: it comes whole."""
        return b""

    def encode_batch(self, _events: Sequence[Event]) -> bytes:
        """Return nothing: it comes whole."""
        return b""

    def encode_plain(self, _frames: Iterable[bytes]) -> tuple[int, bytes]:
        """Take nothing: it comes whole."""
        return 0, b""

    def whole(self, terminal: Event) -> bytes:
        """Return what the upstream has counted."""
        return self.form % _decode(terminal.raw).response.input_tokens

    def failure(self, problem: Problem) -> bytes:
        """Return the error."""
        return self.envelope(problem)

    def estimate(self, turn: Turn) -> bytes:
        """Return a count that no upstream made: a token is taken for four bytes."""
        return self.form % expected_usage(turn).input
