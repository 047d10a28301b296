"""Projects in the admin API, and the people who see what is theirs."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

import strawberry

from longwire.core.errors import NotFound
from longwire.core.nouns.access import Permission, Role
from longwire.core.nouns.project import Project, ProjectStatus
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Info, Viewer, admitted, require
from longwire.server.admin.inputs import changes, view_of
from longwire.server.admin.paging import Connection, Id, connection
from longwire.server.admin.scalars import time_of

strawberry.enum(
    ProjectStatus,
    description="Whether the keys of a project are accepted: not those of an archived one.",
)


@strawberry.input(name="ProjectInput", description="Left out stays; null sets the default.")
class ProjectInput:
    name: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    status: ProjectStatus | None = strawberry.UNSET


Draft = Annotated[ProjectInput, strawberry.argument(name="input")]
_NEW: Final = Project("", "")
_FIELDS: Final = ("name", "description", "status")


async def _members(info: Info, root: strawberry.Parent["ProjectView"]) -> list[strawberry.ID]:
    require(info, Permission.PROJECTS_READ)
    members = await info.context.administration.store.projects.members(root.id)
    return [strawberry.ID(each) for each in members]


@strawberry.type(name="Project", description="What keys, their turns and people belong to.")
class ProjectView:
    id: strawberry.ID
    name: str
    description: str
    status: ProjectStatus
    created_at: datetime
    revision: int
    member_ids: list[strawberry.ID] = strawberry.field(
        resolver=_members, description="Users who see its keys, turns and usage."
    )


def shown(project: Project) -> ProjectView:
    """Return a project as it is shown."""
    return view_of(ProjectView, project, created_at=time_of(project.created_at))


async def own_projects(administration: Administration, viewer: Viewer) -> tuple[str, ...] | None:
    """Return the ids of the projects that a viewer sees, None for all."""
    if viewer.role is not Role.VIEWER:
        return None
    return await administration.store.projects.of_user(viewer.actor.id)


async def _page(info: Info, first: int = 50, after: str | None = None) -> Connection[ProjectView]:
    viewer, administration = admitted(info, Permission.PROJECTS_READ)
    own = await own_projects(administration, viewer)
    page = await administration.store.projects.page(first=first, after=after, only=own)
    return connection(page, shown)


async def _one(info: Info, project_id: Id) -> ProjectView:
    viewer, administration = admitted(info, Permission.PROJECTS_READ)
    own = await own_projects(administration, viewer)
    if own is not None and project_id not in own:
        raise NotFound("project", project_id)
    return shown(await administration.store.projects.get(project_id))


async def _create(info: Info, draft: Draft) -> ProjectView:
    viewer, administration = admitted(info, Permission.PROJECTS_WRITE)
    project = replace(_NEW, **changes(draft, _NEW, _FIELDS, {}))
    saved = await administration.store.projects.create(project, viewer.actor)
    await administration.refresh()
    return shown(saved)


async def _update(info: Info, project_id: Id, revision: int, draft: Draft) -> ProjectView:
    viewer, administration = admitted(info, Permission.PROJECTS_WRITE)
    held = await administration.store.projects.get(project_id)
    project = replace(held, revision=revision, **changes(draft, _NEW, _FIELDS, {}))
    saved = await administration.store.projects.update(project, viewer.actor)
    await administration.refresh()
    return shown(saved)


async def _delete(info: Info, project_id: Id, revision: int) -> bool:
    viewer, administration = admitted(info, Permission.PROJECTS_WRITE)
    await administration.store.projects.delete(project_id, revision, viewer.actor)
    await administration.refresh()
    return True


async def _add(info: Info, project_id: strawberry.ID, user_id: strawberry.ID) -> ProjectView:
    actor = require(info, Permission.PROJECTS_WRITE).actor
    projects = info.context.administration.store.projects
    await projects.add_member(project_id, user_id, actor)
    return shown(await projects.get(project_id))


async def _remove(info: Info, project_id: strawberry.ID, user_id: strawberry.ID) -> ProjectView:
    actor = require(info, Permission.PROJECTS_WRITE).actor
    projects = info.context.administration.store.projects
    await projects.remove_member(project_id, user_id, actor)
    return shown(await projects.get(project_id))


@strawberry.type
class ProjectQueries:
    projects: Connection[ProjectView] = strawberry.field(
        resolver=_page, description="Projects by name; viewers see their own."
    )
    project: ProjectView = strawberry.field(resolver=_one)


@strawberry.type
class ProjectMutations:
    create_project: ProjectView = strawberry.field(resolver=_create)
    update_project: ProjectView = strawberry.field(resolver=_update)
    delete_project: bool = strawberry.field(
        resolver=_delete, description="Only one without keys; otherwise archive it."
    )
    add_user_to_project: ProjectView = strawberry.field(resolver=_add)
    remove_user_from_project: ProjectView = strawberry.field(resolver=_remove)
