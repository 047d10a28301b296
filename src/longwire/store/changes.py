"""What every change does besides: see that nobody was faster, tell gateways, and say what.

Law: a change, its audit row and the new revision are one transaction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from longwire.core.errors import Conflict
from longwire.core.nouns.access import Actor
from longwire.core.nouns.secret import Secret
from longwire.store.audit import Noun, record
from longwire.store.engine import AsyncConnection
from longwire.store.secrets import HIDDEN
from longwire.store.tables import revisions

_NOT_RECORDED: Final = frozenset(
    {"id", "revision", "created_at", "updated_at", "last_used_at", "digest", "previous_digest"}
)


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """What names it for good."""


Kept = TypeVar("Kept", bound=Identified)


@dataclass(frozen=True, slots=True)
class ChangeLog(Generic[Kept]):
    """How the changes of one kind of noun are recorded, and whether gateways load them anew.

    `name` returns what the audit log calls one by, `shown` the value whose fields it compares.
    """

    kind: str
    clock: Callable[[], int]
    name: Callable[[Kept], str]
    shown: Callable[[Kept], object] = lambda value: value
    reloads: bool = True

    async def note(
        self,
        connection: AsyncConnection,
        actor: Actor,
        action: str,
        values: tuple[Kept | None, Kept | None],
    ) -> None:
        """Record the change from one value to another, None where there is none."""
        value = values[1] or values[0]
        if value is not None:
            noun = Noun(self.kind, value.id, self.name(value))
            before, after = (self.shown(each) if each else None for each in values)
            changes = differences(before, after)
            await record(connection, self.clock(), actor, action, noun, changes)
        if self.reloads:
            await bump_configuration(connection)


async def bump_configuration(connection: AsyncConnection) -> None:
    """Make running gateways load channels and keys anew, once this transaction is through."""
    await connection.execute(
        update(revisions)
        .where(revisions.c.name == "configuration")
        .values(number=revisions.c.number + 1)
    )


def check_revision(noun: str, name: str, held: int, seen: int) -> None:
    """Raise `Conflict` where somebody changed it since it was read."""
    if held != seen:
        raise Conflict(
            f"The {noun} '{name}' was changed meanwhile; load it again, then change it.",
            param="revision",
            revision=held,
        )


@contextmanager
def unique(noun: str, name: str, column: str = "name", message: str = "") -> Iterator[None]:
    """Raise `Conflict` where another one has the name; any other violation is a bug.

    Its `message` is of its own where several columns make the name.
    """
    try:
        yield
    except IntegrityError as error:
        if column not in str(error.orig):
            raise
        usual = f"There is a {noun} with the {column} '{name}' already."
        raise Conflict(message or usual, param=column) from error


def differences(before: object | None, after: object | None) -> dict[str, list[Any]]:
    """Return the fields that differ between two values, each with its old and new one, as JSON.

    None stands for what did not exist, or does no more. A secret that changed is told as `***`.
    """
    old, new = _fields(before), _fields(after)
    names = [*old, *(name for name in new if name not in old)]
    return {
        name: [json_value(old.get(name)), json_value(new.get(name))]
        for name in names
        if name not in _NOT_RECORDED and old.get(name) != new.get(name)
    }


def _fields(value: object | None) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if value is None or not is_dataclass(value):
        return {}
    return {field.name: getattr(value, field.name) for field in fields(value)}


def json_value(value: object) -> object:
    """Return a value as JSON; a secret is told as `***`, one that is empty as ""."""
    match value:
        case Secret():
            return HIDDEN if value else ""
        case bytes():
            return HIDDEN
        case str():
            return str(value)
        case Mapping():
            return {str(key): json_value(each) for key, each in value.items()}
        case Sequence():
            return [json_value(each) for each in value]
        case _ if is_dataclass(value):
            return {name: json_value(each) for name, each in _fields(value).items()}
        case _:
            return value
