"""An answer that is passed on to a client of its own API, byte for byte."""

from collections.abc import Iterable, Sequence

from longwire.core.events import Event
from longwire.dialects.ports import Answer, Problem


class PassedOn:
    """Gives the upstream's own bytes; what the gateway has to say itself is said by `answer`."""

    __slots__ = ("_answer",)
    is_cut = False

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def keep_alive(self) -> bytes:
        """Return what bridges silence."""
        return self._answer.keep_alive()

    def encode_batch(self, events: Sequence[Event]) -> bytes:
        """Return events as the upstream wrote them."""
        return b"".join([event.wire for event in events])

    def encode_plain(self, _frames: Iterable[bytes]) -> tuple[int, bytes]:
        """Take nothing: what is passed on comes in batches."""
        return 0, b""

    def whole(self, terminal: Event) -> bytes:
        """Return the body as the upstream wrote it."""
        return terminal.wire

    def failure(self, problem: Problem) -> bytes:
        """Return what ends a stream that broke off."""
        return self._answer.failure(problem)
