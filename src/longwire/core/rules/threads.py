"""Threads that an upstream over HTTP keeps of conversations, by the chains that end them.

Law: a thread goes on once, from its last answer, and only where the chain's rules let a turn
continue; what is not sure to be held begins anew. Little is remembered, and not for long.
"""

from collections import OrderedDict
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from longwire.core.rules.continuity import Chain, Continue, Fresh, Reason, decide
from longwire.core.rules.difference import explained
from longwire.core.rules.turn import SessionKey, Turn

LIFETIME: Final = 290.0
"""How long a thread may be gone on with, in seconds: Anthropic keeps it for five minutes."""

_MOST_SESSIONS: Final = 4096
_MOST_IN_A_SESSION: Final = 16


class ThreadFault(Enum):
    """Why an upstream takes no part of a thread, so that all must be sent again."""

    GONE = "the thread has expired, or has gone on already"
    UNSUPPORTED = "the upstream keeps no thread of this"


class _Held(NamedTuple):
    chain: Chain
    until: float


class Threads:
    """The threads of all sessions: each session has at most 16, the latest ones."""

    __slots__ = ("_held", "_unthreaded")

    def __init__(self) -> None:
        self._held: OrderedDict[SessionKey, list[_Held]] = OrderedDict()
        self._unthreaded: OrderedDict[SessionKey, None] = OrderedDict()

    def take(self, key: SessionKey, turn: Turn, now: float) -> Continue | Fresh:
        """Return how a turn travels; the thread that it goes on with is held no more."""
        held = [each for each in self._held.get(key, ()) if each.until > now]
        best: tuple[_Held, Continue] | None = None
        reason, near = Reason.NEW_BRANCH if held else Reason.NEW_SESSION, held[::-1]
        for each, decision in _decisions(held, turn):
            if isinstance(decision, Fresh):
                reason, near = decision.reason, [each]
            elif best is None or each.chain.length > best[0].chain.length:
                best = each, decision
        if best is not None:
            held.remove(best[0])
        self._set(key, held)
        return explained(reason, [each.chain for each in near], turn) if best is None else best[1]

    def keep(self, key: SessionKey, chain: Chain, now: float) -> None:
        """Hold the thread that ends with a chain's answer."""
        held = [*self._held.get(key, ()), _Held(chain, now + LIFETIME)]
        self._set(key, held[-_MOST_IN_A_SESSION:])

    def _set(self, key: SessionKey, held: list[_Held]) -> None:
        self._held.pop(key, None)
        if held:
            self._held[key] = held
        if len(self._held) > _MOST_SESSIONS:
            self._held.popitem(last=False)

    def leave(self, key: SessionKey) -> None:
        """Note that a session's turns cannot be in a thread."""
        self._held.pop(key, None)
        self._unthreaded[key] = None
        if len(self._unthreaded) > _MOST_SESSIONS:
            self._unthreaded.popitem(last=False)

    def is_left(self, key: SessionKey) -> bool:
        """Whether a session's turns cannot be in a thread."""
        return key in self._unthreaded


def _decisions(held: list[_Held], turn: Turn) -> Iterator[tuple[_Held, Continue | Fresh]]:
    for each in held:
        decision = decide(each.chain, turn)
        if decision is not None:
            yield each, decision
