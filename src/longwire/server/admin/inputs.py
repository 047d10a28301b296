"""How inputs change values, and values are shown.

Law: a field left out stays as it is, null sets the default.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import strawberry

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

View = TypeVar("View", bound="DataclassInstance")
Reader = Callable[[Any], Any]


def changes(
    draft: object, default: object, names: Iterable[str], read: Mapping[str, Reader]
) -> dict[str, Any]:
    """Return what to replace in a value: fields of an input by name, each as `read` makes it."""
    values = {name: getattr(draft, name) for name in names}
    return {
        name: getattr(default, name) if value is None else read.get(name, _as_it_is)(value)
        for name, value in values.items()
        if value is not strawberry.UNSET
    }


def _as_it_is(value: object) -> object:
    return value


def view_of(view: type[View], value: object, **others: object) -> View:
    """Return what a view shows of a value: its fields by their names, all but `others` as they are.

    Ids and counts of the schema are but names for texts and whole numbers.
    """
    names = [field.name for field in fields(view) if field.init and field.name not in others]
    return view(**{name: getattr(value, name) for name in names}, **others)
