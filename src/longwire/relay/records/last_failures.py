"""What channels failed with last, in the words of the turn log: who looks at one sees why it rests.

It costs failed attempts alone, and keeps one or two of each channel.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final

from longwire.core.nouns.turn_row import TurnAttempt, TurnBodies, TurnDetails, TurnRow
from longwire.core.rules.recovery import RECOVERY_RULES, Blame

_BLAMED: Final = frozenset(
    trouble.name.lower()
    for trouble, rule in RECOVERY_RULES.items()
    if rule.blame not in (Blame.NOTHING, Blame.CLEARED)
)


@dataclass(frozen=True, slots=True)
class ChannelFailure:
    """One failed attempt: at which ms since 1970 UTC, what struck it, and the turn that met it.

    `trouble` is the name of a `Trouble`, "" where the answer had begun; what it says in the
    upstream's words is concealed as in the turn log. `project_id` and `key_id` are those of the
    turn, for who sees it; "" where a node does not say.
    """

    at: int
    status: int
    code: str
    message: str
    transport: str
    trouble: str
    request_id: str
    turn_id: str
    node: str = ""
    project_id: str = ""
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """What a channel failed with last, and what last made it trusted less; None for never."""

    last: ChannelFailure | None = None
    blamed: ChannelFailure | None = None


NEVER: Final = Failed()


class LastFailures:
    """What each channel failed with last on this node, by its id."""

    def __init__(self) -> None:
        self._by_channel: dict[str, Failed] = {}

    def of(self, channel_id: str) -> Failed:
        """Return what one failed with last."""
        return self._by_channel.get(channel_id, NEVER)

    def note(self, row: TurnRow, beside: Iterable[TurnBodies | TurnDetails]) -> None:
        """Take note of the failed attempts among what stands beside a turn."""
        details = (each for each in beside if isinstance(each, TurnDetails))
        for attempt in chain.from_iterable(each.attempts for each in details):
            if attempt.channel_id and attempt.code:
                self._note(row, attempt)

    def _note(self, row: TurnRow, attempt: TurnAttempt) -> None:
        failure = ChannelFailure(
            row.started_at + attempt.ended_ms,
            attempt.status,
            attempt.code,
            attempt.message,
            attempt.transport,
            attempt.trouble,
            row.request_id,
            str(row.id),
            row.node,
            row.project_id,
            row.key_id,
        )
        is_blamed = attempt.trouble in _BLAMED
        before = self.of(attempt.channel_id).blamed
        self._by_channel[attempt.channel_id] = Failed(failure, failure if is_blamed else before)
