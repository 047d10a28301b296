"""Lists in parts: connections with edges, cursors and what follows, as Relay reads them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Generic, TypeVar

import strawberry

from longwire.core.nouns.page import Page
from longwire.store.paging import Window

Id = Annotated[strawberry.ID, strawberry.argument(name="id")]

T = TypeVar("T")
C = TypeVar("C")


@strawberry.type(name="PageInfo", description="Where a part of a list ends, if more follows.")
class End:
    has_next_page: bool
    end_cursor: str | None = strawberry.field(description="Pass it as `after` for the next part.")


@strawberry.type
class Edge(Generic[T]):
    """An item with its place in the list."""

    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    """A part of a list."""

    edges: list[Edge[T]]
    nodes: list[T] = strawberry.field(description="The items without their cursors.")
    page_info: End


def connection(page: Page[C], make: Callable[[C], T]) -> Connection[T]:
    """Return a page as its connection, each value as `make` shows it."""
    edges = [Edge(cursor=cursor, node=make(value)) for cursor, value in page.edges]
    end = End(has_next_page=page.has_more, end_cursor=edges[-1].cursor if edges else None)
    nodes = [edge.node for edge in edges]
    return Connection(edges=edges, nodes=nodes, page_info=end)


async def with_declared(
    declared: Mapping[str, C],
    stored: Callable[[int, str | None], Awaitable[Page[C]]],
    first: int,
    after: str | None,
) -> Page[C]:
    """Return a page of what the file declares, by id, and behind it of what is stored.

    Raises `InvalidFields` for a size or a cursor that is none.
    """
    Window(first, after)
    behind = tuple(declared.items())
    if after is not None:
        ids = list(declared)
        behind = behind[ids.index(after) + 1 :] if after in declared else ()
    head = behind[:first]
    is_stored = after is not None and after not in declared
    rest = await stored(max(1, first - len(head)), after if is_stored else None)
    if len(head) == first:
        return Page(head, has_more=len(behind) > first or bool(rest.edges))
    return Page(head + rest.edges, rest.has_more)
