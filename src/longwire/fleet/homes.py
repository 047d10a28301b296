"""Homes of sessions in Valkey, where each node finds them at once; behind them the database.

Law: only sessions stand here, not each response: there are too many of them to be held in memory.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from longwire.core.errors import FleetUnavailable
from longwire.core.ports import Tidings
from longwire.core.rules.homes import HomeKey
from longwire.fleet.valkey import Valkey

_PREFIX: Final = "lw:home:"
_TIDING: Final = "home"


class ValkeyHomes:
    """The homes that the nodes of a fleet tell each other."""

    def __init__(self, valkey: Valkey, tidings: Tidings) -> None:
        self._valkey = valkey
        self._tidings = tidings

    async def find(self, key: HomeKey) -> str | None:
        """Return a home, None where it is not known here."""
        if not key.is_of_session:
            return None
        with suppress(FleetUnavailable, UnicodeDecodeError):
            home: bytes | None = await self._valkey.call("GET", _name(key.digest))
            return home.decode() if home is not None else None
        return None

    def keep(self, key: HomeKey, home: str, *, has_moved: bool) -> None:
        """Write a home soon; others that hold the one before hear of it.

        While Valkey is away only the database keeps it: what Valkey had before is taken away as
        soon as it is back, and no home that is newer by then is written over.
        """
        if not key.is_of_session:
            return
        if self._valkey.is_away:
            self._valkey.post("DEL", _name(key.digest))
            return
        self._valkey.post("SET", _name(key.digest), home, "EX", key.lasts)
        if has_moved:
            self._tidings.tell(_TIDING, {"digest": key.digest.hex(), "home": home})

    def hear(self, moved: Callable[[bytes, str], None]) -> None:
        """Have each home taken that another node says has moved."""

        def take(_node: str, facts: Mapping[str, Any]) -> None:
            moved(bytes.fromhex(facts["digest"]), str(facts["home"]))

        self._tidings.hear(_TIDING, take)


def _name(digest: bytes) -> str:
    return f"{_PREFIX}{digest.hex()}"
