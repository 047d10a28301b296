"""The headers by which an upstream knows a channel; read anew for each connection or request.

A connection stays its account's when the token that opened it is replaced by the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from longwire.core.errors import AccountUnavailable


@dataclass(frozen=True, slots=True)
class AuthHeaders:
    """Headers that authenticate; `revision` says from which set of tokens they are."""

    headers: Mapping[str, str] = field(repr=False)
    revision: int = 0


class Credentials(Protocol):
    """A source of headers that authenticate."""

    async def headers(self) -> AuthHeaders:
        """Return the headers that are valid now. Raises `AccountUnavailable`."""


class StaticKey:
    """A key that never changes."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = AuthHeaders(headers)

    async def headers(self) -> AuthHeaders:
        """Return the headers of the key."""
        return self._headers


class NoCredentials:
    """No account yet: nothing is sent upstream, and the error names the mend."""

    def __init__(self, mend: str) -> None:
        self._mend = mend

    async def headers(self) -> AuthHeaders:
        """Raise `AccountUnavailable`, always."""
        raise AccountUnavailable(self._mend, needs_sign_in=True)
