"""What somebody sees of keys, turns and usage: all, that of their projects, or of their own keys.

Law: a member sees by their keys alone, whatever else their projects have.
"""

from typing import NamedTuple

from longwire.core.nouns.access import Role
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Viewer

_BY_PROJECT = (Role.VIEWER, Role.MEMBER)
"""Roles that see what is of their projects at most."""


class Sight(NamedTuple):
    """The ids of the projects and of the keys whose turns somebody sees, None for all."""

    project_ids: tuple[str, ...] | None
    key_ids: tuple[str, ...] | None = None

    def shows(self, project_id: str, key_id: str) -> bool:
        """Whether what is of a project and a key is seen."""
        is_of_project = self.project_ids is None or project_id in self.project_ids
        return is_of_project and (self.key_ids is None or key_id in self.key_ids)

    def of_key(self, key_id: str | None) -> "Sight":
        """Return what is seen of one key, if it is named."""
        if not key_id or self.key_ids is None:
            return self
        return self._replace(key_ids=(key_id,) if key_id in self.key_ids else ())

    def of_keys(self, key_ids: tuple[str, ...]) -> "Sight":
        """Return what is seen of these keys."""
        seen = self.key_ids
        if seen is None:
            return self._replace(key_ids=key_ids)
        return self._replace(key_ids=tuple(each for each in key_ids if each in seen))


async def joined_projects(administration: Administration, viewer: Viewer) -> tuple[str, ...] | None:
    """Return the ids of the projects that somebody knows of, None for all."""
    if viewer.role not in _BY_PROJECT:
        return None
    return await administration.store.projects.of_user(viewer.actor.id)


async def sight_of(
    administration: Administration, viewer: Viewer, project_id: str | None = None
) -> Sight:
    """Return what somebody sees, of one project if it is named."""
    if viewer.role is Role.MEMBER:
        own = await administration.store.keys.of_user(viewer.user.id)
        return Sight((project_id,) if project_id else None, own)
    joined = await joined_projects(administration, viewer)
    if not project_id:
        return Sight(joined)
    return Sight((project_id,) if joined is None or project_id in joined else ())
