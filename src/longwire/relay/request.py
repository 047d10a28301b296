"""A turn with who sent it: what stays the same from its arrival to its row in the log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from longwire.core.rules.session import fingerprint, forwarded
from longwire.core.rules.turn import Principal, Turn

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class TurnRequest:
    """A turn and its caller, whose `headers` have names in lower case.

    `session` is the id it was sent with, "" for none; `id` is what its answer calls the request;
    `started` is when it came, in seconds.
    """

    turn: Turn
    caller: Principal
    session: str = ""
    id: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    started: float = 0.0

    @cached_property
    def forwarded(self) -> Mapping[str, str]:
        """The headers that go upstream."""
        return forwarded(self.headers)

    @cached_property
    def identity(self) -> str:
        """A digest of the headers that name an upstream identity."""
        return fingerprint(self.forwarded.items())

    @property
    def conversation(self) -> tuple[str | None, str]:
        """What stays the same from turn to turn, whatever channel serves it."""
        return self.caller.scope, self.session or self.turn.history.opening
