"""Projects and who belongs to them."""

from collections.abc import Callable
from dataclasses import asdict, replace
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update

from longwire.core.errors import Conflict, FieldProblem, InvalidFields, NotFound, refuse
from longwire.core.nouns.access import Actor, Budgets, Rates
from longwire.core.nouns.bounds import NO_BOUNDS, Bounds
from longwire.core.nouns.budget import SubjectKind
from longwire.core.nouns.page import Page
from longwire.core.nouns.project import DEFAULT_PROJECT, Project, ProjectStatus, check_project
from longwire.store.audit import Noun, record
from longwire.store.budgets import delete_budgets_of
from longwire.store.changes import ChangeLog, check_revision, unique
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.named_channels import check_channels
from longwire.store.paging import Order, Window
from longwire.store.rows import columns_of, held_row, value_of
from longwire.store.secrets import new_id
from longwire.store.tables import api_keys, memberships, projects, users

_ORDER: Final = Order((projects.c.name, projects.c.id))


class Projects:
    """The projects of one database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._changes: ChangeLog[Project] = ChangeLog("project", clock, attrgetter("name"))

    async def all(self) -> tuple[Project, ...]:
        """Return every project, archived ones included, by name."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(projects).order_by(projects.c.name))).all()
        return tuple(_project(row) for row in rows)

    async def page(
        self,
        *,
        first: int = 50,
        after: str | None = None,
        only: tuple[str, ...] | None = None,
    ) -> Page[Project]:
        """Return projects by name: all, or those whose ids are in `only`.

        Raises `InvalidFields` for a cursor that is none.
        """
        query = select(projects)
        if only is not None:
            query = query.where(projects.c.id.in_(only))
        return await _ORDER.read(self._database, query, Window(first, after), _project)

    async def get(self, project_id: str) -> Project:
        """Return a project. Raises `NotFound`."""
        async with self._database.read() as connection:
            return await _held(connection, project_id)

    async def find(self, which: str) -> Project:
        """Return the project of an id or a name. Raises `NotFound`."""
        is_it = (projects.c.id == which) | (projects.c.name == which)
        by_id_first = (projects.c.id == which).desc()
        async with self._database.read() as connection:
            query = select(projects).where(is_it).order_by(by_id_first).limit(1)
            row = (await connection.execute(query)).first()
        if row is None:
            raise NotFound("project", which)
        return _project(row)

    async def create(self, project: Project, actor: Actor) -> Project:
        """Add a project and return it with its id.

        Raises `InvalidFields`, and `Conflict` for a name that is taken.
        """
        refuse(check_project(project))
        created = replace(project, id=new_id("prj"), created_at=self._clock(), revision=1)
        with unique("project", project.name):
            async with self._database.write() as connection:
                refuse(await _unknown_channels(connection, created, NO_BOUNDS))
                await connection.execute(insert(projects).values(_row(created)))
                await self._changes.note(connection, actor, "create", (None, created))
        return created

    async def update(self, project: Project, actor: Actor) -> Project:
        """Replace a project, whose revision is the one seen; the default one stays active.

        Raises `InvalidFields`, `NotFound` and `Conflict`; then nothing has changed.
        """
        refuse(check_project(project))
        if project.id == DEFAULT_PROJECT and project.status is ProjectStatus.ARCHIVED:
            raise Conflict("The default project cannot be archived.", param="status")
        mine = projects.c.id == project.id
        with unique("project", project.name):
            async with self._database.write() as connection:
                held = await _held(connection, project.id)
                check_revision("project", held.name, held.revision, project.revision)
                refuse(await _unknown_channels(connection, project, held.member_bounds))
                changed = replace(project, created_at=held.created_at, revision=held.revision + 1)
                await connection.execute(update(projects).where(mine).values(_row(changed)))
                await self._changes.note(connection, actor, "update", (held, changed))
        return changed

    async def delete(self, project_id: str, revision: int, actor: Actor) -> None:
        """Delete a project that has no keys left; its turns stay in the log.

        Raises `NotFound` and `Conflict`.
        """
        if project_id == DEFAULT_PROJECT:
            raise Conflict("The default project cannot be deleted.")
        own = select(func.count()).where(api_keys.c.project_id == project_id)
        async with self._database.write() as connection:
            held = await _held(connection, project_id)
            check_revision("project", held.name, held.revision, revision)
            if number := await connection.scalar(own):
                raise Conflict(
                    f"The project '{held.name}' has {number} API keys; archive it instead."
                )
            await connection.execute(delete(projects).where(projects.c.id == project_id))
            theirs = (SubjectKind.PROJECT, project_id)
            await delete_budgets_of(connection, theirs, actor, self._clock)
            await self._changes.note(connection, actor, "delete", (held, None))

    async def members(self, project_id: str) -> tuple[str, ...]:
        """Return the ids of the users who belong to a project. Raises `NotFound`."""
        query = (
            select(memberships.c.user_id)
            .where(memberships.c.project_id == project_id)
            .order_by(memberships.c.user_id)
        )
        async with self._database.read() as connection:
            await _held(connection, project_id)
            return tuple((await connection.scalars(query)).all())

    async def of_user(self, user_id: str) -> tuple[str, ...]:
        """Return the ids of the projects that a user belongs to."""
        query = (
            select(memberships.c.project_id)
            .where(memberships.c.user_id == user_id)
            .order_by(memberships.c.project_id)
        )
        async with self._database.read() as connection:
            return tuple((await connection.scalars(query)).all())

    async def add_member(self, project_id: str, user_id: str, actor: Actor) -> None:
        """Let a user belong to a project; who does already still does.

        Raises `NotFound` for the project, `InvalidFields` for the user.
        """
        is_known = select(func.count()).where(users.c.id == user_id)
        async with self._database.write() as connection:
            held = await _held(connection, project_id)
            if not await connection.scalar(is_known):
                raise InvalidFields([FieldProblem("userID", "there is no such user")])
            is_member = select(func.count()).where(_membership(project_id, user_id))
            if not await connection.scalar(is_member):
                row = {"project_id": project_id, "user_id": user_id}
                await connection.execute(insert(memberships).values(row))
                changes = {"member": [None, user_id]}
                await self._record(connection, actor, "add-member", held, changes)

    async def remove_member(self, project_id: str, user_id: str, actor: Actor) -> None:
        """Let a user no longer belong to a project. Raises `NotFound` for either."""
        async with self._database.write() as connection:
            held = await _held(connection, project_id)
            deleted = delete(memberships).where(_membership(project_id, user_id))
            if not (await connection.execute(deleted)).rowcount:
                email = await connection.scalar(select(users.c.email).where(users.c.id == user_id))
                raise NotFound(f"member of '{held.name}'", email or user_id)
            changes = {"member": [user_id, None]}
            await self._record(connection, actor, "remove-member", held, changes)

    async def _record(
        self,
        connection: AsyncConnection,
        actor: Actor,
        action: str,
        project: Project,
        changes: dict[str, Any],
    ) -> None:
        noun = Noun("project", project.id, project.name)
        await record(connection, self._clock(), actor, action, noun, changes)


async def _held(connection: AsyncConnection, project_id: str) -> Project:
    return _project(await held_row(connection, projects, "project", project_id))


async def bound_channels(connection: AsyncConnection, project_id: str) -> frozenset[str]:
    """Return the ids of the channels that keys of members are bound to in a project."""
    query = select(projects.c.member_bounds).where(projects.c.id == project_id)
    bounds = await connection.scalar(query)
    return frozenset(_bounds(bounds).channels if bounds else ())


async def _unknown_channels(
    connection: AsyncConnection, project: Project, before: Bounds
) -> tuple[FieldProblem, ...]:
    """Return what is wrong with bounds that are new; those of `before` may be gone."""
    new = set(project.member_bounds.channels) - set(before.channels)
    return (*await check_channels(connection, new, "memberBounds.channels"),)


def _membership(project_id: str, user_id: str) -> ColumnElement[bool]:
    return (memberships.c.project_id == project_id) & (memberships.c.user_id == user_id)


def _project(row: Row[Any]) -> Project:
    bounds = _bounds(row.member_bounds) if row.member_bounds else NO_BOUNDS
    return value_of(Project, row, status=ProjectStatus(row.status), member_bounds=bounds)


def _bounds(value: dict[str, Any]) -> Bounds:
    return Bounds(
        tuple(value["models"]),
        tuple(value["channels"]),
        Rates(**value["rates"]),
        Budgets(**value["budgets"]),
    )


def _row(project: Project) -> dict[str, Any]:
    bounds = project.member_bounds
    return {
        **columns_of(project, "member_bounds"),
        "member_bounds": None if bounds == NO_BOUNDS else asdict(bounds),
    }
