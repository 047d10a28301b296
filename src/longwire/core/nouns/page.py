"""A page of a list: some items, each with the cursor that the page after it begins at."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items with their cursors, in order."""

    edges: tuple[tuple[str, T], ...]
    has_more: bool = False

    @property
    def items(self) -> tuple[T, ...]:
        """The items alone."""
        return tuple(item for _, item in self.edges)
