"""Models: public names with the targets that serve them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from longwire.core.errors import NotFound, refuse
from longwire.core.nouns.access import Actor
from longwire.core.nouns.model import Condition, KnownNames, Model, Target, check_model
from longwire.core.nouns.page import Page
from longwire.store.changes import ChangeLog, check_revision, unique
from longwire.store.database import Database
from longwire.store.engine import AsyncConnection
from longwire.store.paging import Order, Window
from longwire.store.rows import columns_of, held_row, value_of
from longwire.store.secrets import new_id
from longwire.store.tables import api_keys, channels, models, projects

_ORDER: Final = Order((models.c.name, models.c.id))
_LISTS: Final = ("apis", "keys", "projects")


class Models:
    """The models of one database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._changes: ChangeLog[Model] = ChangeLog("model", clock, attrgetter("name"))

    async def all(self) -> tuple[Model, ...]:
        """Return every model, by name."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(models).order_by(models.c.name))).all()
        return tuple(_model(row) for row in rows)

    async def page(
        self, *, first: int = 50, after: str | None = None, search: str = ""
    ) -> Page[Model]:
        """Return models by name: those with `search` in their name or description.

        Raises `InvalidFields` for a cursor that is none.
        """
        query = select(models)
        if search:
            query = query.where(
                models.c.name.icontains(search, autoescape=True)
                | models.c.description.icontains(search, autoescape=True)
            )
        return await _ORDER.read(self._database, query, Window(first, after), _model)

    async def get(self, model_id: str) -> Model:
        """Return a model by its id. Raises `NotFound`."""
        return await self._one(models.c.id == model_id, model_id)

    async def find(self, name: str) -> Model:
        """Return a model by its name. Raises `NotFound`."""
        return await self._one(models.c.name == name, name)

    async def known_names(self, model: Model) -> KnownNames:
        """Return all channels, and of the keys and projects that a model names those there are."""
        conditions = [each.condition for each in model.targets]
        named_keys = {name for each in conditions for name in each.keys}
        named_projects = {*model.projects, *(name for each in conditions for name in each.projects)}
        of_keys = select(api_keys.c.id).where(api_keys.c.id.in_(named_keys))
        of_projects = select(projects.c.id).where(projects.c.id.in_(named_projects))
        async with self._database.read() as connection:
            pairs = (await connection.execute(select(channels.c.id, channels.c.name))).all()
            keys = (await connection.scalars(of_keys)).all()
            found = (await connection.scalars(of_projects)).all()
        names = frozenset(name for pair in pairs for name in pair)
        return KnownNames(names, frozenset(keys), frozenset(found))

    async def create(self, model: Model, actor: Actor) -> Model:
        """Add a model and return it with its id.

        Raises `InvalidFields`, and `Conflict` for a name that is taken.
        """
        refuse(check_model(model))
        now = self._clock()
        created = replace(model, id=new_id("mdl"), created_at=now, updated_at=now, revision=1)
        with unique("model", model.name):
            async with self._database.write() as connection:
                await connection.execute(insert(models).values(_row(created)))
                await self._changes.note(connection, actor, "create", (None, created))
        return created

    async def update(self, model: Model, actor: Actor) -> Model:
        """Replace a model, whose revision is the one seen.

        Raises `InvalidFields`, `NotFound` and `Conflict`; then nothing has changed.
        """
        refuse(check_model(model))
        with unique("model", model.name):
            async with self._database.write() as connection:
                held = await _held(connection, model.id, model.revision)
                changed = replace(
                    model,
                    created_at=held.created_at,
                    updated_at=self._clock(),
                    revision=held.revision + 1,
                )
                mine = update(models).where(models.c.id == model.id)
                await connection.execute(mine.values(_row(changed)))
                await self._changes.note(connection, actor, "update", (held, changed))
        return changed

    async def delete(self, model_id: str, revision: int, actor: Actor) -> None:
        """Delete a model for good; its turns stay in the log. Raises `NotFound` and `Conflict`."""
        async with self._database.write() as connection:
            held = await _held(connection, model_id, revision)
            await connection.execute(delete(models).where(models.c.id == model_id))
            await self._changes.note(connection, actor, "delete", (held, None))

    async def _one(self, condition: ColumnElement[bool], name: str) -> Model:
        async with self._database.read() as connection:
            row = (await connection.execute(select(models).where(condition))).first()
        if row is None:
            raise NotFound("model", name)
        return _model(row)


async def _held(connection: AsyncConnection, model_id: str, seen: int) -> Model:
    held = _model(await held_row(connection, models, "model", model_id))
    check_revision("model", held.name, held.revision, seen)
    return held


def _row(model: Model) -> dict[str, Any]:
    return {
        **columns_of(model, "targets", "is_declared"),
        "targets": [asdict(target) for target in model.targets],
    }


def _model(row: Row[Any]) -> Model:
    return value_of(
        Model,
        row,
        projects=tuple(row.projects),
        targets=tuple(_target(each) for each in row.targets),
        fallbacks=tuple(row.fallbacks),
        is_declared=False,
    )


def _target(stored: Mapping[str, Any]) -> Target:
    own = stored["condition"]
    condition = Condition(**{**own, **{name: tuple(own[name]) for name in _LISTS}})
    return Target(**{**stored, "condition": condition})
