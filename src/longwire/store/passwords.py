"""Passwords are kept as Argon2id hashes, and checked at the same cost whether a user exists."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from longwire.core.nouns.secret import Secret

_AT_ONCE = 2

NO_PASSWORD = "!"  # noqa: S105 - just that
"""Stands in the place of a hash for a user without a password; no password has it."""


class Passwords:
    """Hashes in threads, a few at once: each takes tens of milliseconds and 64 MiB."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turnstile = asyncio.Semaphore(_AT_ONCE)
        self._nobody = ""

    async def hash(self, password: Secret) -> str:
        """Return the hash to keep."""
        async with self._turnstile:
            return await asyncio.to_thread(self._hasher.hash, _bytes(password))

    async def verify(self, kept: str | None, password: Secret) -> bool:
        """Whether the password is the one.

        None, for a user who does not exist, and `NO_PASSWORD` cost the same.
        """
        kept = None if kept == NO_PASSWORD else kept
        if not self._nobody:
            self._nobody = await self.hash(Secret("nobody has this password"))
        async with self._turnstile:
            is_right = await asyncio.to_thread(self._matches, kept or self._nobody, password)
        return is_right and kept is not None

    def _matches(self, kept: str, password: Secret) -> bool:
        try:
            return self._hasher.verify(kept, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: Secret) -> bytes:
    return password.reveal().encode("utf-8", "surrogatepass")
