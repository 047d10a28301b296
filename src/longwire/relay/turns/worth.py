"""Which of the failures of a turn its caller is told.

Law: what a retry may mend goes before what the operator has to mend, and both go before a refusal
that only concerns another channel. Among failures of one worth it is the last.
"""

from longwire.core.errors import LongwireError
from longwire.core.rules.recovery import Trouble
from longwire.relay.turns.able import Candidate

_NOTHING, _OPERATORS, _PASSING = range(3)
_WORTH = {
    Trouble.UNSAYABLE: _NOTHING,
    Trouble.BARRED: _OPERATORS,
    Trouble.UNAUTHORIZED: _OPERATORS,
    Trouble.NO_WEBSOCKET: _OPERATORS,
}
"""What a failure is worth that a turn moves on from; any other one passes."""


class Failures:
    """The failure that was worth most among those of the channels that a turn has left."""

    __slots__ = ("_kept", "_worth")

    def __init__(self) -> None:
        self._worth = _NOTHING
        self._kept: tuple[LongwireError, Candidate] | None = None

    def leave(self, trouble: Trouble, failure: LongwireError, candidate: Candidate) -> None:
        """Note why a channel is left for the next one."""
        worth = _WORTH.get(trouble, _PASSING)
        if worth >= max(self._worth, _OPERATORS):
            self._worth, self._kept = worth, (failure, candidate)

    def instead_of(
        self, trouble: Trouble, failure: LongwireError, candidate: Candidate
    ) -> tuple[LongwireError, Candidate]:
        """Return what the caller is told, and of whom, where this failure is the last."""
        if self._kept is None or _WORTH.get(trouble, _PASSING) >= self._worth:
            return failure, candidate
        return self._kept
