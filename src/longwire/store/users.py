"""Users. There is always an active owner, once there was one."""

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, or_, select, update

from longwire.core.errors import Conflict, NotFound, refuse
from longwire.core.nouns.access import Actor, Role
from longwire.core.nouns.budget import SubjectKind
from longwire.core.nouns.page import Page
from longwire.core.nouns.people import User, UserStatus, check_password, check_user, normal_email
from longwire.core.nouns.secret import Secret
from longwire.store.audit import Noun, record
from longwire.store.budgets import delete_budgets_of
from longwire.store.changes import ChangeLog, check_revision, differences, unique
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.paging import Order, Window
from longwire.store.passwords import Passwords
from longwire.store.rows import columns_of, held_row, value_of
from longwire.store.secrets import HIDDEN, new_id
from longwire.store.tables import user_sessions, users

_ORDER: Final = Order((users.c.email, users.c.id))


class Users:
    """The users of one database."""

    def __init__(self, database: Database, clock: Callable[[], int], passwords: Passwords) -> None:
        self._database = database
        self._clock = clock
        self._changes: ChangeLog[User] = ChangeLog("user", clock, attrgetter("email"))
        self._passwords = passwords

    async def count(self) -> int:
        """Return how many there are."""
        async with self._database.read() as connection:
            return await connection.scalar(select(func.count()).select_from(users)) or 0

    async def page(self, *, first: int = 50, after: str | None = None) -> Page[User]:
        """Return users by email. Raises `InvalidFields` for a cursor that is none."""
        return await _ORDER.read(self._database, select(users), Window(first, after), user_of)

    async def search(self, text: str, most: int) -> tuple[User, ...]:
        """Return users with a text in their name or email, by email."""
        columns = (users.c.email, users.c.name)
        named = or_(*(each.icontains(text, autoescape=True) for each in columns))
        query = select(users).where(named).order_by(users.c.email).limit(most)
        async with self._database.read() as connection:
            return tuple(user_of(row) for row in await connection.execute(query))

    async def get(self, user_id: str) -> User:
        """Return a user. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await _held(connection, user_id)

    async def find(self, email: str) -> User:
        """Return the user of an email. Raises `NotFound`."""
        row = await self._row_of(email)
        if row is None:
            raise NotFound("user", email)
        return user_of(row)

    async def emails(self) -> dict[str, str]:
        """Return the emails of all users by their ids."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(users.c.id, users.c.email))).all()
        return {row.id: row.email for row in rows}

    async def create(self, user: User, password: Secret, actor: Actor) -> User:
        """Add a user and return them with their id.

        Raises `InvalidFields`, and `Conflict` for an email that is taken.
        """
        hashed = await self.hash_new(user, password)
        with unique("user", user.email, "email"):
            async with self._database.write() as connection:
                return await add_user(connection, user, hashed, actor, self._clock())

    async def hash_new(self, user: User, password: Secret) -> str:
        """Return the hash for a user to be made. Raises `InvalidFields`."""
        clean = replace(user, email=normal_email(user.email))
        refuse((*check_user(clean), *check_password(password)))
        return await self._passwords.hash(password)

    async def update(self, user: User, actor: Actor) -> User:
        """Change a user's email, name, role and status; `user.revision` is the one seen.

        Who is disabled is signed out, and their keys are refused. Raises `InvalidFields`,
        `NotFound` and `Conflict`, the latter for the last owner, too; then nothing has changed.
        """
        user = replace(user, email=normal_email(user.email))
        refuse(check_user(user))
        with unique("user", user.email, "email"):
            async with self._database.write() as connection:
                owners = await active_owners(connection)
                held = await _held(connection, user.id)
                check_revision("user", held.email, held.revision, user.revision)
                changed = replace(
                    user,
                    created_at=held.created_at,
                    last_sign_in_at=held.last_sign_in_at,
                    revision=held.revision + 1,
                )
                _check_owners(owners, held, changed)
                mine = users.c.id == user.id
                await connection.execute(update(users).where(mine).values(columns_of(changed)))
                if changed.status is UserStatus.DISABLED:
                    await sign_out(connection, user.id)
                await self._changes.note(connection, actor, "update", (held, changed))
        return changed

    async def set_password(
        self, user_id: str, password: Secret, actor: Actor, revision: int | None = None
    ) -> User:
        """Give a user a new password, and end all their sign-ins.

        Raises `InvalidFields`, `NotFound`, and `Conflict` for a `revision` that holds no more.
        """
        refuse(check_password(password))
        hashed = await self._passwords.hash(password)
        async with self._database.write() as connection:
            held = await _held(connection, user_id)
            check_revision("user", held.email, held.revision, revision or held.revision)
            changed = replace(held, revision=held.revision + 1)
            values = {"password_hash": hashed, "revision": changed.revision}
            await connection.execute(update(users).where(users.c.id == user_id).values(values))
            await sign_out(connection, user_id)
            noun = Noun("user", held.id, held.email)
            changes = {"password": [HIDDEN, HIDDEN]}
            await record(connection, self._clock(), actor, "set-password", noun, changes)
        return changed

    async def delete(self, user_id: str, revision: int, actor: Actor) -> None:
        """Delete a user for good; their keys are refused from then on.

        Raises `NotFound`, and `Conflict`, for the last owner, too.
        """
        async with self._database.write() as connection:
            owners = await active_owners(connection)
            held = await _held(connection, user_id)
            check_revision("user", held.email, held.revision, revision)
            _check_owners(owners, held, None)
            await connection.execute(delete(users).where(users.c.id == user_id))
            theirs = (SubjectKind.USER, user_id)
            await delete_budgets_of(connection, theirs, actor, self._clock)
            await self._changes.note(connection, actor, "delete", (held, None))

    async def verify(self, email: str, password: Secret) -> User | None:
        """Return the active user of an email and a password, None for anything else.

        Which of both was wrong shows neither in the answer nor in its time.
        """
        row = await self._row_of(email)
        is_right = await self._passwords.verify(row.password_hash if row else None, password)
        if row is None or not is_right or row.status != UserStatus.ACTIVE:
            return None
        return user_of(row)

    async def _row_of(self, email: str) -> Row[Any] | None:
        query = select(users).where(users.c.email == normal_email(email))
        async with self._database.read() as connection:
            return (await connection.execute(query)).first()


async def add_user(
    connection: AsyncConnection, user: User, hashed: str, actor: Actor, now: int
) -> User:
    """Add a user in a transaction that does more; "" as actor's id means the user themselves."""
    added = replace(
        user, id=new_id("usr"), email=normal_email(user.email), created_at=now, revision=1
    )
    await connection.execute(insert(users).values(**columns_of(added), password_hash=hashed))
    by = actor if actor.name else replace(actor, id=added.id, name=added.email)
    noun = Noun("user", added.id, added.email)
    await record(connection, now, by, "create", noun, differences(None, added))
    return added


async def sign_out(connection: AsyncConnection, user_id: str) -> None:
    """End every sign-in of a user."""
    await connection.execute(delete(user_sessions).where(user_sessions.c.user_id == user_id))


async def _held(connection: AsyncConnection, user_id: str) -> User:
    return user_of(await held_row(connection, users, "user", user_id))


async def active_owners(connection: AsyncConnection) -> list[str]:
    """Return the ids of active owners, locked, in one order for all who might change one of them.

    Whoever locked their own row first would wait crosswise with another owner.
    """
    query = (
        select(users.c.id)
        .where(users.c.role == Role.OWNER, users.c.status == UserStatus.ACTIVE)
        .order_by(users.c.id)
        .with_for_update()
    )
    return list((await connection.scalars(query)).all())


def _check_owners(owners: list[str], held: User, after: User | None) -> None:
    """Raise `Conflict` where nobody would be left who may do everything."""
    stays = after is not None and _is_active_owner(after)
    if owners == [held.id] and not stays:
        raise Conflict("This is the last active owner; make somebody else an owner first.")


def _is_active_owner(user: User) -> bool:
    return user.role is Role.OWNER and user.status is UserStatus.ACTIVE


def user_of(row: Row[Any]) -> User:
    """Return the user in a row of the table."""
    return value_of(User, row, role=Role(row.role), status=UserStatus(row.status))
