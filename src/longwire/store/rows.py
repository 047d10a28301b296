"""Values and their rows, where the columns of a table have the names of the fields."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Row, Table, select

from longwire.core.errors import NotFound
from longwire.store.engine import AsyncConnection

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def value_of(kind: type[T], row: Row[Any], /, **others: object) -> T:
    """Return the value in a row; `others` are the fields that no column holds as they are."""
    names = (field.name for field in fields(kind) if field.name not in others)
    return kind(**{name: getattr(row, name) for name in names}, **others)


def columns_of(value: "DataclassInstance", *others: str) -> dict[str, Any]:
    """Return the columns of a value, but for the fields that no column holds as they are."""
    names = (field.name for field in fields(value) if field.name not in others)
    return {name: getattr(value, name) for name in names}


async def held_row(connection: AsyncConnection, table: Table, noun: str, id_: str) -> Row[Any]:
    """Return the row of an id, locked until the transaction ends. Raises `NotFound`."""
    query = select(table).where(table.c.id == id_).with_for_update()
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFound(noun, id_)
    return row
