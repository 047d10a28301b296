"""Kept bodies searched in the admin API, by who may read them, where the operator allows it."""

import strawberry

from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.access import Permission
from longwire.server.admin.context import Info, admitted, require
from longwire.server.admin.paging import Connection, connection
from longwire.server.admin.turns import Criteria, Turn, filter_of
from longwire.server.admin.turns import shown as shown_turn
from longwire.store.body_search import FoundBody

_LONGEST = 400
_NOT_ALLOWED = (
    "cannot be searched: bodies are not indexed; set index = true below [bodies] in the "
    "configuration file and restart"
)


@strawberry.type(description="A piece of a text, and whether it is what was looked for.")
class SnippetPiece:
    text: str
    is_match: bool


@strawberry.type(description="A turn whose bodies have what was looked for.")
class FoundBodyView:
    turn: Turn
    snippet: list[SnippetPiece] = strawberry.field(description="The words around it.")


def _shown(found: FoundBody) -> FoundBodyView:
    pieces = [SnippetPiece(text=text, is_match=is_match) for text, is_match in found.pieces]
    return FoundBodyView(turn=shown_turn(found.row), snippet=pieces)


async def _search(
    info: Info, text: str, criteria: Criteria = None, first: int = 50, after: str | None = None
) -> Connection[FoundBodyView]:
    require(info, Permission.BODIES_READ)
    viewer, administration = admitted(info, Permission.TURNS_READ)
    search = administration.store.body_search
    if not search.is_allowed:
        raise InvalidFields([FieldProblem("text", _NOT_ALLOWED)])
    if len(text) > _LONGEST:
        raise InvalidFields([FieldProblem("text", f"may have {_LONGEST} letters; shorten it")])
    wanted = await filter_of(administration, viewer, criteria)
    return connection(await search.page(text, wanted, first, after), _shown)


@strawberry.type
class BodySearchQueries:
    search_bodies: Connection[FoundBodyView] = strawberry.field(
        resolver=_search,
        description='Turns whose kept bodies have all words and "phrases" of a text, newest first. '
        "A text is found at the turn that brought it.",
    )
