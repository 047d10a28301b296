"""As whom a channel speaks: asked each time a connection is opened, never before.

A connection stays its account's when the token that opened it is replaced by the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from longwire.core.errors import AccountUnavailable


@dataclass(frozen=True, slots=True)
class AuthHeaders:
    """Headers that say who speaks, and which set of tokens they are from."""

    headers: Mapping[str, str] = field(repr=False)
    revision: int = 0


class Credentials(Protocol):
    """Something that gives passes."""

    async def headers(self) -> AuthHeaders:
        """Return the pass that holds now. Raises `AccountUnavailable`."""


class StaticKey:
    """A key that is always the same."""

    __slots__ = ("_pass",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._pass = AuthHeaders(headers)

    async def headers(self) -> AuthHeaders:
        """Return the only pass there is."""
        return self._pass


class NoCredentials:
    """Nobody yet: nothing is sent upstream, and the caller is told the mend."""

    __slots__ = ("_mend",)

    def __init__(self, mend: str) -> None:
        self._mend = mend

    async def headers(self) -> AuthHeaders:
        """Raise `AccountUnavailable`, always."""
        raise AccountUnavailable(self._mend, needs_sign_in=True)
