"""Projects in the admin API, and the people who see what is theirs."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

import strawberry

from longwire.core.errors import NotFound
from longwire.core.nouns.access import Budgets, Permission, Rates, Role
from longwire.core.nouns.bounds import Bounds
from longwire.core.nouns.project import Project, ProjectStatus
from longwire.server.admin.administration import Administration
from longwire.server.admin.budget_limits import BudgetLimits, BudgetsInput, shown_budgets
from longwire.server.admin.channel_inputs import RatesInput
from longwire.server.admin.channels import RateLimits
from longwire.server.admin.context import Info, Viewer, admitted, require
from longwire.server.admin.inputs import Reader, changes, view_of
from longwire.server.admin.paging import Connection, Id, connection
from longwire.server.admin.scalars import time_of
from longwire.server.admin.sight import joined_projects

strawberry.enum(
    ProjectStatus,
    description="Whether the keys of a project are accepted: not those of an archived one.",
)


@strawberry.type(description="What keys that members make for themselves may have at most.")
class MemberBounds:
    models: list[str] = strawberry.field(description="Names or patterns; none means no bound.")
    channels: list[strawberry.ID] = strawberry.field(description="Ids; none means no bound.")
    rates: RateLimits
    budgets: BudgetLimits


@strawberry.input(description="Left out, and null, is no bound.")
class MemberBoundsInput:
    models: list[str] | None = None
    channels: list[strawberry.ID] | None = None
    rates: RatesInput | None = None
    budgets: BudgetsInput | None = None

    def bounds(self) -> Bounds:
        """Return them as the core has them."""
        return Bounds(
            tuple(self.models or ()),
            tuple(self.channels or ()),
            self.rates.rates() if self.rates else Rates(),
            self.budgets.budgets() if self.budgets else Budgets(),
        )


@strawberry.input(name="ProjectInput", description="Left out stays; null sets the default.")
class ProjectInput:
    name: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    status: ProjectStatus | None = strawberry.UNSET
    member_bounds: MemberBoundsInput | None = strawberry.UNSET


Draft = Annotated[ProjectInput, strawberry.argument(name="input")]
_NEW: Final = Project("", "")
_FIELDS: Final = ("name", "description", "status", "member_bounds")
_READ: Final[dict[str, Reader]] = {"member_bounds": MemberBoundsInput.bounds}


async def _members(info: Info, root: strawberry.Parent["ProjectView"]) -> list[strawberry.ID]:
    viewer = require(info, Permission.PROJECTS_READ)
    if viewer.role is Role.MEMBER:
        return [strawberry.ID(viewer.user.id)]
    members = await info.context.administration.store.projects.members(root.id)
    return [strawberry.ID(each) for each in members]


@strawberry.type(name="Project", description="What keys, their turns and people belong to.")
class ProjectView:
    id: strawberry.ID
    name: str
    description: str
    status: ProjectStatus
    member_bounds: MemberBounds
    created_at: datetime
    revision: int
    member_ids: list[strawberry.ID] = strawberry.field(
        resolver=_members, description="Users who see its keys, turns and usage."
    )


def shown(project: Project) -> ProjectView:
    """Return a project as it is shown."""
    bounds = view_of(
        MemberBounds,
        project.member_bounds,
        rates=view_of(RateLimits, project.member_bounds.rates),
        budgets=shown_budgets(project.member_bounds.budgets),
    )
    created_at = time_of(project.created_at)
    return view_of(ProjectView, project, member_bounds=bounds, created_at=created_at)


async def own_projects(administration: Administration, viewer: Viewer) -> tuple[str, ...] | None:
    """Return the ids of the projects of which a viewer sees everything, None for all.

    A member sees everything of none: see `sight`.
    """
    if viewer.role is Role.MEMBER:
        return ()
    if viewer.role is not Role.VIEWER:
        return None
    return await administration.store.projects.of_user(viewer.actor.id)


async def _page(info: Info, first: int = 50, after: str | None = None) -> Connection[ProjectView]:
    viewer, administration = admitted(info, Permission.PROJECTS_READ)
    own = await joined_projects(administration, viewer)
    page = await administration.store.projects.page(first=first, after=after, only=own)
    return connection(page, shown)


async def _one(info: Info, project_id: Id) -> ProjectView:
    viewer, administration = admitted(info, Permission.PROJECTS_READ)
    own = await joined_projects(administration, viewer)
    if own is not None and project_id not in own:
        raise NotFound("project", project_id)
    return shown(await administration.store.projects.get(project_id))


async def _create(info: Info, draft: Draft) -> ProjectView:
    viewer, administration = admitted(info, Permission.PROJECTS_WRITE)
    project = replace(_NEW, **changes(draft, _NEW, _FIELDS, _READ))
    saved = await administration.store.projects.create(project, viewer.actor)
    await administration.refresh()
    return shown(saved)


async def _update(info: Info, project_id: Id, revision: int, draft: Draft) -> ProjectView:
    viewer, administration = admitted(info, Permission.PROJECTS_WRITE)
    held = await administration.store.projects.get(project_id)
    project = replace(held, revision=revision, **changes(draft, _NEW, _FIELDS, _READ))
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
        resolver=_page, description="Projects by name; viewers and members see their own."
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
