"""An answer that is passed on to a client of its own API, byte for byte."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from longwire.core.events import Event
from longwire.dialects.ports import Answer, ClientDialect, Problem


class PassedOn:
    """Gives the upstream's own bytes; what the gateway has to say itself is said by `answer`.

    With a list for them, the bytes of a stream are `kept` there.
    """

    __slots__ = ("_answer", "_kept")
    is_cut = False

    def __init__(self, answer: Answer, kept: list[bytes] | None = None) -> None:
        self._answer = answer
        self._kept = kept

    def keep_alive(self) -> bytes:
        """Return what bridges silence."""
        return self._answer.keep_alive()

    def encode_batch(self, events: Sequence[Event]) -> bytes:
        """Return events as the upstream wrote them."""
        wires = [event.wire for event in events]
        if self._kept is not None:
            self._kept += wires
        return b"".join(wires)

    def encode_plain(self, _frames: Iterable[bytes]) -> tuple[int, bytes]:
        """Take nothing: what is passed on comes in batches."""
        return 0, b""

    def whole(self, terminal: Event) -> bytes:
        """Return the body as the upstream wrote it."""
        return terminal.wire

    def failure(self, problem: Problem) -> bytes:
        """Return what ends a stream that broke off: the upstream's own error, where it sent one."""
        original = problem.original
        if original is not None and original.wire:
            return original.wire
        return self._answer.failure(problem)


def refusal_of(problem: Problem, dialect: ClientDialect, request_id: str) -> Problem:
    """Return a problem as a client of a dialect gets it: as its upstream wrote it, if it may."""
    if problem.original is not None:
        return replace(problem, body=problem.original.raw)
    return dialect.refusal(problem, request_id)
