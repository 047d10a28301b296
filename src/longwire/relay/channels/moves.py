"""Sessions that move between nodes: the one that they left closes what it held for them.

Law: only named sessions move, each of one caller and channel. Clients may use one session on two
nodes at once: one that left a node and came back is not closed there again for a while.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from blake3 import blake3

from longwire.core.ports import Tidings
from longwire.core.rules.turn import SessionKey
from longwire.upstream.websocket.pool import Pool

_REMEMBERED: Final = 16_384


@dataclass(slots=True)
class _Dialed:
    key: SessionKey
    left: float = float("-inf")


class Moves:
    """Claims the sessions that a pool dials for, and lets go what another node has claimed.

    A connection `lasts` so many seconds at most, and so does a claim; for as long a session that
    left and came back is let be. `clock` gives seconds.
    """

    def __init__(
        self,
        pool: Pool,
        tidings: Tidings,
        lasts: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._tidings = tidings
        self._lasts = lasts
        self._clock = clock
        self._dialed: OrderedDict[str, _Dialed] = OrderedDict()
        tidings.hear("moved", lambda _node, facts: self._let_go(facts))

    def claim(self, key: SessionKey) -> None:
        """Say that a session is served here from now on."""
        if key.is_implicit:
            return
        session = digest_of(key)
        dialed = self._dialed.setdefault(session, _Dialed(key))
        dialed.key = key
        self._dialed.move_to_end(session)
        if len(self._dialed) > _REMEMBERED:
            self._dialed.popitem(last=False)
        self._tidings.claim(session, max(1, round(self._lasts)))

    def _let_go(self, facts: Mapping[str, Any]) -> None:
        """Close what is idle of a session that is served elsewhere, the rest after its turn."""
        dialed = self._dialed.get(str(facts.get("session")))
        if dialed is None or self._clock() < dialed.left + self._lasts:
            return
        dialed.left = self._clock()
        self._pool.retire_session(dialed.key)


def digest_of(key: SessionKey) -> str:
    """Return what all nodes call a session: the start of its channel differs from node to node."""
    parts = (key.endpoint.rpartition("@")[0], key.scope, key.session, key.identity)
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest(length=16)
