"""A project: what keys, their turns and the people who see them belong to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from longwire.core.errors import FieldProblem
from longwire.core.nouns.bounds import NO_BOUNDS, Bounds, check_bounds

DEFAULT_PROJECT: Final = "prj_default"
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
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
    if not _NAME.fullmatch(project.name) or not project.name.strip():
        yield FieldProblem("name", "write 1 to 100 printable characters")
    if len(project.description) > _LONGEST_DESCRIPTION or "\0" in project.description:
        yield FieldProblem("description", f"has at most {_LONGEST_DESCRIPTION} characters")
    yield from check_bounds(project.member_bounds)
