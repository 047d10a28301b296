"""Sign-ins: a random token in a cookie, of which only the digest is kept."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import delete, insert, select, update

from longwire.core.nouns.people import User, UserStatus
from longwire.core.nouns.secret import Secret
from longwire.store.database import Database
from longwire.store.secrets import new_token, token_digest
from longwire.store.tables import user_sessions, users
from longwire.store.users import user_of

LIFETIME_MS: Final = 14 * 24 * 3_600_000
"""A sign-in ends so long after its last use."""

_NOTED_EVERY_MS: Final = 60_000
_LONGEST: Final = 256


class SignIns:
    """The sign-ins of one database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def begin(
        self, user_id: str, address: str = "", agent: str = "", identity_id: str | None = None
    ) -> Secret:
        """Sign a user in and return the token for the cookie; sign-ins that ended are removed.

        Who came by a provider did so with an identity.
        """
        token, now = new_token(), self._clock()
        row = {
            "digest": token_digest(token.reveal()),
            "user_id": user_id,
            "created_at": now,
            "last_seen_at": now,
            "expires_at": now + LIFETIME_MS,
            "address": address[:_LONGEST],
            "agent": agent[:_LONGEST].replace("\0", ""),
            "identity_id": identity_id,
        }
        async with self._database.write() as connection:
            await connection.execute(delete(user_sessions).where(user_sessions.c.expires_at <= now))
            await connection.execute(insert(user_sessions).values(row))
            await connection.execute(
                update(users).where(users.c.id == user_id).values(last_sign_in_at=now)
            )
        return token

    async def user(self, token: str) -> User | None:
        """Return the active user whom a token signs in; its use is noted once a minute."""
        digest, now = token_digest(token), self._clock()
        query = (
            select(users, user_sessions.c.last_seen_at)
            .join(user_sessions, user_sessions.c.user_id == users.c.id)
            .where(user_sessions.c.digest == digest, user_sessions.c.expires_at > now)
            .where(users.c.status == UserStatus.ACTIVE)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        if now - row.last_seen_at >= _NOTED_EVERY_MS:
            await self._note(digest, now)
        return user_of(row)

    async def is_by_provider(self, token: str) -> bool:
        """Whether a token signs in somebody who came by a provider."""
        mine = user_sessions.c.digest == token_digest(token)
        async with self._database.read() as connection:
            return bool(await connection.scalar(select(user_sessions.c.identity_id).where(mine)))

    async def end(self, token: str) -> None:
        """Sign out."""
        mine = user_sessions.c.digest == token_digest(token)
        async with self._database.write() as connection:
            await connection.execute(delete(user_sessions).where(mine))

    async def _note(self, digest: bytes, now: int) -> None:
        seen = {"last_seen_at": now, "expires_at": now + LIFETIME_MS}
        async with self._database.write() as connection:
            await connection.execute(
                update(user_sessions).where(user_sessions.c.digest == digest).values(seen)
            )
