"""How inputs change values: a field left out stays as it is, null sets the default."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import strawberry

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
