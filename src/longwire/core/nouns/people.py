"""People who sign in to the admin side, and what their names and passwords may be."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from longwire.core.errors import FieldProblem
from longwire.core.nouns.access import Role
from longwire.core.nouns.secret import Secret

SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 1024
_LONGEST_EMAIL: Final = 254
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{0,100}")


class UserStatus(StrEnum):
    """Whether somebody may sign in."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a password; the `email` is in lower case. Times in ms since 1970 UTC."""

    id: str
    email: str
    name: str
    role: Role
    status: UserStatus = UserStatus.ACTIVE
    created_at: int = 0
    last_sign_in_at: int | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who may become a user with a role, until `expires_at`; "" for an email means anybody."""

    id: str
    email: str
    role: Role
    project_id: str | None
    invited_by: str
    created_at: int
    expires_at: int


def normal_email(email: str) -> str:
    """Return an email as it is kept and compared."""
    return email.strip().lower()


def check_password(password: Secret) -> Iterator[FieldProblem]:
    """Yield what is wrong with a new password: its length decides, nothing else."""
    if not SHORTEST_PASSWORD <= len(password.reveal()) <= LONGEST_PASSWORD:
        rule = f"write {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        yield FieldProblem("password", rule)


def check_user(user: User) -> Iterator[FieldProblem]:
    """Yield what is wrong, field by field."""
    if not is_email(user.email):
        yield FieldProblem("email", "write an address such as ada@example.org")
    if not _NAME.fullmatch(user.name):
        yield FieldProblem("name", "write at most 100 printable characters")


def is_email(email: str) -> bool:
    """Whether it looks like an address that somebody can sign in by."""
    return len(email) <= _LONGEST_EMAIL and _EMAIL.fullmatch(email) is not None
