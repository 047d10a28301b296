"""Invitations, and the first of all: the one-time token by which the first owner comes in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update

from longwire.core.errors import Conflict, FieldProblem, InvalidFields, NotFound, refuse
from longwire.core.nouns.access import Actor, Role
from longwire.core.nouns.page import Page
from longwire.core.nouns.people import Invitation, User, is_email, normal_email
from longwire.core.nouns.secret import Secret
from longwire.store.audit import Noun, record
from longwire.store.changes import unique
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.paging import Order, Window
from longwire.store.rows import columns_of, value_of
from longwire.store.secrets import new_id, new_token, token_digest
from longwire.store.tables import invitations, memberships, projects, revisions, users
from longwire.store.users import Users, add_user

LIFETIME_MS: Final = 7 * 24 * 3_600_000
"""An invitation can be accepted so long."""

_SETUP: Final = "setup"
_NEVER: Final = 2**53
_ORDER: Final = Order((invitations.c.created_at, invitations.c.id), is_descending=True)


@dataclass(frozen=True, slots=True)
class Issued:
    """An invitation and, this once, its token."""

    invitation: Invitation
    token: Secret


class Invitations:
    """The invitations of one database."""

    def __init__(self, database: Database, clock: Callable[[], int], people: Users) -> None:
        self._database = database
        self._clock = clock
        self._users = people

    async def open_setup(self) -> Secret | None:
        """Return a new one-time token for the first owner, None once there is a user.

        A token given before is no longer good.
        """
        token = new_token()
        row = {
            "digest": token_digest(token.reveal()),
            "role": Role.OWNER.value,
            "created_at": self._clock(),
            "expires_at": _NEVER,
        }
        one_after_the_other = select(revisions).with_for_update()
        async with self._database.write() as connection:
            await connection.execute(one_after_the_other)
            await connection.execute(delete(invitations).where(invitations.c.id == _SETUP))
            if await _count_users(connection):
                return None
            await connection.execute(insert(invitations).values(id=_SETUP, **row))
        return token

    async def page(self, *, first: int = 50, after: str | None = None) -> Page[Invitation]:
        """Return invitations that can still be accepted, newest first.

        Raises `InvalidFields` for a cursor that is none.
        """
        query = select(invitations).where(
            invitations.c.id != _SETUP,
            invitations.c.accepted_at.is_(None),
            invitations.c.expires_at > self._clock(),
        )
        return await _ORDER.read(self._database, query, Window(first, after), _invitation)

    async def create(
        self, role: Role, actor: Actor, email: str = "", project_id: str | None = None
    ) -> Issued:
        """Invite somebody to become a user; the project is one they then belong to.

        Raises `InvalidFields`, also for an email that a user has.
        """
        email, now, token = normal_email(email), self._clock(), new_token()
        invitation = Invitation(
            new_id("inv"), email, role, project_id, actor.name, now, now + LIFETIME_MS
        )
        async with self._database.write() as connection:
            await _check(connection, invitation)
            values = columns_of(invitation) | {"digest": token_digest(token.reveal())}
            await connection.execute(insert(invitations).values(values))
            noun = Noun("invitation", invitation.id, email)
            changes = {"role": [None, role.value], "project_id": [None, project_id]}
            await record(connection, now, actor, "create", noun, changes)
        return Issued(invitation, token)

    async def revoke(self, invitation_id: str, actor: Actor) -> None:
        """Take an invitation back. Raises `NotFound`."""
        mine = invitations.c.id == invitation_id
        async with self._database.write() as connection:
            row = (await connection.execute(select(invitations).where(mine))).first()
            if row is None or row.id == _SETUP or row.accepted_at is not None:
                raise NotFound("invitation", invitation_id)
            await connection.execute(delete(invitations).where(mine))
            noun = Noun("invitation", row.id, row.email)
            await record(connection, self._clock(), actor, "revoke", noun, {})

    async def accept(self, token: str, user: User, password: Secret, address: str = "") -> User:
        """Become a user by a token, with the role that it was made for; it works once.

        Raises `InvalidFields`, for a token that is not good (any more), too, and `Conflict` for an
        email that is taken.
        """
        async with self._database.read() as connection:
            await self._good(connection, token)
        hashed = await self._users.hash_new(user, password)
        with unique("user", user.email, "email"):
            async with self._database.write() as connection:
                return await self._join(connection, token, (user, hashed), address)

    async def _join(
        self, connection: AsyncConnection, token: str, who: tuple[User, str], address: str
    ) -> User:
        now, (user, hashed) = self._clock(), who
        row = await self._good(connection, token)
        if row.id == _SETUP and await _count_users(connection):
            raise Conflict("There is an owner already; ask them for an invitation.")
        if row.email and normal_email(user.email) != row.email:
            problem = FieldProblem("email", f"this invitation is for {row.email}")
            raise InvalidFields([problem])
        role = Role(row.role)
        added = await add_user(
            connection, replace(user, role=role), hashed, Actor("", "", address), now
        )
        mine = invitations.c.id == row.id
        await connection.execute(update(invitations).where(mine).values(accepted_at=now))
        if row.project_id:
            membership = {"project_id": row.project_id, "user_id": added.id}
            await connection.execute(insert(memberships).values(membership))
        return added

    async def _good(self, connection: AsyncConnection, token: str) -> Row[Any]:
        query = (
            select(invitations)
            .where(invitations.c.digest == token_digest(token))
            .where(invitations.c.accepted_at.is_(None))
            .where(invitations.c.expires_at > self._clock())
            .with_for_update()
        )
        row = (await connection.execute(query)).first()
        if row is None:
            problem = FieldProblem("token", "is not good, or not any more; ask for another one")
            raise InvalidFields([problem])
        return row


async def _count_users(connection: AsyncConnection) -> int:
    return await connection.scalar(select(func.count()).select_from(users)) or 0


async def _check(connection: AsyncConnection, invitation: Invitation) -> None:
    problems = []
    if invitation.email and not is_email(invitation.email):
        problems.append(FieldProblem("email", "write an address such as ada@example.org"))
    of_email = select(func.count()).where(users.c.email == invitation.email)
    if await connection.scalar(of_email):
        problems.append(FieldProblem("email", "belongs to a user already"))
    of_project = select(func.count()).where(projects.c.id == invitation.project_id)
    if invitation.project_id is not None and not await connection.scalar(of_project):
        problems.append(FieldProblem("projectID", "there is no such project"))
    refuse(problems)


def _invitation(row: Row[Any]) -> Invitation:
    return value_of(Invitation, row, role=Role(row.role))
