"""Keys that members make for themselves: in their projects, within the bounds of these."""

from dataclasses import replace

from longwire.core.errors import FieldProblem, InvalidFields, NotFound, refuse
from longwire.core.nouns.access import PERMISSIONS, ApiKey, Grant, Permission
from longwire.core.nouns.bounds import bounded, check_within
from longwire.core.nouns.project import DEFAULT_PROJECT
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Viewer

_BOUND = ("project_id", "models", "channels", "rates", "budgets")


async def as_allowed(
    administration: Administration, viewer: Viewer, change: tuple[ApiKey | None, ApiKey]
) -> ApiKey:
    """Return a key, changed from another one or new, as somebody may have it.

    What a member leaves out is as their project bounds it. Raises `InvalidFields`.
    """
    before, key = change
    if Permission.KEYS_WRITE in PERMISSIONS[viewer.role]:
        return key
    if key.grant.user_id != viewer.user.id:
        mend = "your role makes keys for yourself alone; leave it out"
        raise InvalidFields([FieldProblem("userID", mend)])
    if before is not None and _is_as_wide(before.grant, key.grant):
        return key
    own = await administration.store.projects.of_user(viewer.user.id)
    grant = key.grant
    is_left_out = before is None and grant.project_id == DEFAULT_PROJECT
    if is_left_out and DEFAULT_PROJECT not in own and len(own) == 1:
        grant = replace(grant, project_id=own[0])
    if grant.project_id not in own:
        mend = "choose a project that you belong to" if own else "an admin must add you to one"
        raise InvalidFields([FieldProblem("projectID", mend)])
    try:
        bounds = (await administration.store.projects.get(grant.project_id)).member_bounds
    except NotFound:
        raise InvalidFields([FieldProblem("projectID", "there is no such project")]) from None
    grant = bounded(grant, bounds)
    refuse(check_within(grant, bounds))
    return replace(key, grant=grant)


def _is_as_wide(before: Grant, after: Grant) -> bool:
    """Whether nothing that bounds are for has changed: an admin may have set it wider."""
    return all(getattr(before, name) == getattr(after, name) for name in _BOUND)
