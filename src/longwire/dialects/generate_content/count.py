"""How many tokens a request would be: counted by the upstream, else estimated here."""

from collections.abc import Iterable, Sequence

import msgspec

from longwire.core.events import Event
from longwire.core.rules.turn import Turn
from longwire.dialects.generate_content.errors import envelope
from longwire.dialects.ports import Problem
from longwire.dialects.responses.usage import expected_usage


class _Count(msgspec.Struct):
    input_tokens: int


class _Counted(msgspec.Struct):
    response: _Count


_decode = msgspec.json.Decoder(_Counted).decode


class CountAnswer:
    """The answer to a question for tokens, which never streams."""

    is_cut = False

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
        return count_of(_decode(terminal.raw).response.input_tokens)

    def failure(self, problem: Problem) -> bytes:
        """Return the error."""
        return envelope(problem)


def count_of(tokens: int) -> bytes:
    """Return a count as the client reads it."""
    return b'{"totalTokens":%d}' % tokens


def estimate(turn: Turn) -> bytes:
    """Return a count that no upstream made: a token is taken for four bytes."""
    return count_of(expected_usage(turn).input)
