"""Who users are to a provider of sign-ins, and signing in by it.

Law: issuer and subject say who somebody is; an email finds a user only where it is verified and
that is allowed. Role and projects are those of the groups, at each sign-in; the last owner stays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, func, insert, or_, select, update

from longwire.core.nouns.access import Actor, Role
from longwire.core.nouns.people import User, UserStatus
from longwire.core.nouns.sign_on import (
    Admission,
    Identity,
    Person,
    SignOnProblem,
    SignOnRefused,
)
from longwire.core.rules.sign_on import check_person, memberships, role_of
from longwire.store.audit import Noun, record
from longwire.store.changes import differences, unique
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.passwords import NO_PASSWORD
from longwire.store.rows import columns_of, value_of
from longwire.store.secrets import new_id
from longwire.store.tables import identities, projects, revisions, users
from longwire.store.tables import memberships as members
from longwire.store.users import active_owners, add_user, user_of


@dataclass(frozen=True, slots=True)
class WaysIn:
    """How a user can sign in."""

    has_password: bool
    identities: tuple[Identity, ...] = ()


class Identities:
    """The identities of one database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def ways_in(self, user_ids: Sequence[str]) -> Mapping[str, WaysIn]:
        """Return how users sign in, by their ids."""
        hashes = select(users.c.id, users.c.password_hash).where(users.c.id.in_(user_ids))
        own = select(identities).where(identities.c.user_id.in_(user_ids))
        async with self._database.read() as connection:
            rows = (await connection.execute(hashes)).all()
            found = [value_of(Identity, row) for row in await connection.execute(own)]
        return {
            row.id: WaysIn(
                row.password_hash != NO_PASSWORD,
                tuple(each for each in found if each.user_id == row.id),
            )
            for row in rows
        }

    async def admit(
        self, person: Person, admission: Admission, address: str
    ) -> tuple[User, Identity]:
        """Return the user whom a provider says has come, made or changed as the rules have it.

        Raises `SignOnRefused`; then nothing has changed.
        """
        check_person(person, admission)
        role = role_of(person, admission)
        with unique("user", person.email, "email"):
            async with self._database.write() as connection:
                await connection.execute(select(revisions).with_for_update())
                arrival = _Arrival(connection, person, admission, self._clock(), address)
                return await arrival.admitted(role)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """Somebody who comes, in one transaction; others wait for it."""

    connection: AsyncConnection
    person: Person
    admission: Admission
    now: int
    address: str

    async def admitted(self, role: Role) -> tuple[User, Identity]:
        identity = await self._identity()
        user = await self._user(identity, role)
        if user.status is not UserStatus.ACTIVE:
            message = f"{user.email} is disabled; an owner or admin can enable them."
            raise SignOnRefused(SignOnProblem.DISABLED, message)
        identity = await self._kept(identity, user)
        user = await self._with_role(user, role)
        await self._join_projects(user)
        await self._note(user, "sign-in", {"issuer": [None, self.person.issuer]})
        return user, identity

    async def _identity(self) -> Identity | None:
        person = self.person
        query = select(identities).where(
            identities.c.issuer == person.issuer, identities.c.subject == person.subject
        )
        row = (await self.connection.execute(query)).first()
        return None if row is None else value_of(Identity, row)

    async def _user(self, identity: Identity | None, role: Role) -> User:
        """Return whose identity it is, whom the email names, or a new user."""
        if identity is not None:
            mine = users.c.id == identity.user_id
            return user_of((await self.connection.execute(select(users).where(mine))).one())
        person, admission = self.person, self.admission
        named = select(users).where(users.c.email == person.email)
        row = (await self.connection.execute(named)).first()
        if row is not None:
            return self._linked(user_of(row))
        if not admission.creates_users:
            message = f"{person.email} is no user, and oidc.create_users is false."
            raise SignOnRefused(SignOnProblem.NO_USER, message)
        if role is not Role.OWNER and not await self._count_users():
            message = "The first user must be an owner: begin with the one-time token of `serve`."
            raise SignOnRefused(SignOnProblem.NO_OWNER_YET, message)
        user = User("", person.email, person.name, role)
        by = Actor("", "", self.address)
        return await add_user(self.connection, user, NO_PASSWORD, by, self.now)

    def _linked(self, user: User) -> User:
        if not self.admission.links_by_email:
            message = f"{user.email} is a user already; oidc.link_by_email lets them be the same."
            raise SignOnRefused(SignOnProblem.EMAIL_TAKEN, message)
        if not self.person.is_verified:
            message = f"{user.email} is a user, and the provider has not verified the email."
            raise SignOnRefused(SignOnProblem.EMAIL_UNVERIFIED, message)
        return user

    async def _count_users(self) -> int:
        return await self.connection.scalar(select(func.count()).select_from(users)) or 0

    async def _kept(self, identity: Identity | None, user: User) -> Identity:
        if identity is not None:
            kept = replace(identity, email=self.person.email, last_sign_in_at=self.now)
            mine = identities.c.id == kept.id
            await self.connection.execute(
                update(identities).where(mine).values(columns_of(kept, "id", "user_id"))
            )
            return kept
        own = self.person
        fields = (own.issuer, own.subject, own.email, self.now, self.now)
        kept = Identity(new_id("idn"), user.id, *fields)
        await self.connection.execute(insert(identities).values(columns_of(kept)))
        changes = {"issuer": [None, own.issuer], "subject": [None, own.subject]}
        await self._note(user, "link-identity", changes)
        return kept

    async def _with_role(self, user: User, role: Role) -> User:
        """Return a user with the role of their groups, where groups say any."""
        if not self.admission.roles or user.role is role:
            return user
        owners = await active_owners(self.connection)
        if owners == [user.id]:
            return user
        changed = replace(user, role=role, revision=user.revision + 1)
        values = {"role": role, "revision": changed.revision}
        await self.connection.execute(update(users).where(users.c.id == user.id).values(values))
        await self._note(user, "update", differences(user, changed))
        return changed

    async def _join_projects(self, user: User) -> None:
        """Let them belong to the projects that their groups open, and to no other of those."""
        for name, is_open in memberships(self.person, self.admission).items():
            query = select(projects).where(or_(projects.c.id == name, projects.c.name == name))
            project = (await self.connection.execute(query.order_by(projects.c.id))).first()
            if project is None:
                continue
            mine = (members.c.project_id == project.id) & (members.c.user_id == user.id)
            count = select(func.count()).select_from(members).where(mine)
            is_member = bool(await self.connection.scalar(count))
            if is_member == is_open:
                continue
            row = {"project_id": project.id, "user_id": user.id}
            change = insert(members).values(row) if is_open else delete(members).where(mine)
            await self.connection.execute(change)
            action = "add-member" if is_open else "remove-member"
            changes = {"member": [None, user.id] if is_open else [user.id, None]}
            noun = Noun("project", project.id, project.name)
            await record(self.connection, self.now, self._actor(user), action, noun, changes)

    async def _note(self, user: User, action: str, changes: Mapping[str, object]) -> None:
        noun = Noun("user", user.id, user.email)
        await record(self.connection, self.now, self._actor(user), action, noun, changes)

    def _actor(self, user: User) -> Actor:
        return Actor(user.id, user.email, self.address)
