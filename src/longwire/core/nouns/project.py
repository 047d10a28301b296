"""A project: what keys, their turns and the people who see them belong to."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from longwire.core.errors import FieldProblem
from longwire.core.nouns.bounds import NO_BOUNDS, Bounds, check_bounds
from longwire.core.nouns.names import check_name

DEFAULT_PROJECT: Final = "prj_default"
_LONGEST_DESCRIPTION: Final = 2000


class ProjectStatus(StrEnum):
    """Whether the keys of a project are accepted."""

    ACTIVE = "active"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Project:
    """A project as it is kept. Times in ms since 1970 UTC.

    Keys that members make for themselves keep to the `member_bounds`.
    """

    id: str
    name: str
    description: str = ""
    status: ProjectStatus = ProjectStatus.ACTIVE
    member_bounds: Bounds = NO_BOUNDS
    created_at: int = 0
    revision: int = 0


def check_project(project: Project) -> Iterator[FieldProblem]:
    """Yield what is wrong, field by field."""
    yield from check_name(project.name)
    if len(project.description) > _LONGEST_DESCRIPTION or "\0" in project.description:
        yield FieldProblem("description", f"has at most {_LONGEST_DESCRIPTION} characters")
    yield from check_bounds(project.member_bounds)
