"""What a query may be at most: anybody can send one, signed in or not.

Law: the work of checking a query grows with its text, never with what its fragments expand to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType

MOST_LETTERS: Final = 32_768
MOST_TOKENS: Final = 2_000
MOST_TOKENS_OF_NOBODY: Final = 200
MOST_FIELDS: Final = 300
MOST_LEVELS: Final = 10
MOST_ALIASES: Final = 30
_KEPT: Final = 128
OVER_HTTP: Final = "http"
"""The root value of queries that come by POST."""

_ODD = re.compile("[\0\ud800-\udfff]")
"""What no text that is stored can hold: NUL, or half of a pair."""

_NO_TEXT = re.compile(r"\\u(0000|\{0+\})")


class QueryLimits(SchemaExtension):
    """Refuses queries that are too long, too deep or too wide, and texts that nothing can store.

    Nobody reads the schema who has not signed in. What was compared with the schema before is not
    compared again: a page asks the same queries each time.
    """

    def on_operation(self) -> Iterator[None]:
        """Stop reading a query that is too long; who has not signed in needs but short ones."""
        context = self.execution_context
        most = MOST_TOKENS_OF_NOBODY if is_nobody(context) else MOST_TOKENS
        context.parse_options["max_tokens"] = most
        yield

    def on_validate(self) -> Iterator[None]:
        """Refuse a query before it is compared with the schema."""
        context = self.execution_context
        if is_nobody(context):
            context.validation_rules += (NoSchemaIntrospectionCustomRule,)
        if problem := next(_problems(context), ""):
            context.pre_execution_errors = [GraphQLError(problem)]
        elif context.graphql_document is not None:
            context.pre_execution_errors = _mistakes(
                context.schema._schema,  # noqa: SLF001 - strawberry's own cache takes it, too
                context.graphql_document,
                context.validation_rules,
            )
        yield


_mistakes = lru_cache(_KEPT)(validate_document)


def is_nobody(context: ExecutionContext) -> bool:
    """Whether a query comes from somebody who has not signed in."""
    return context.context is None or context.context.viewer is None


def _problems(context: ExecutionContext) -> Iterator[str]:
    if context.graphql_document is not None:
        yield from size_problems(context.graphql_document)
    is_subscription = context.operation_type is OperationType.SUBSCRIPTION
    if is_subscription == (context.root_value == OVER_HTTP):
        # Who listens is found out anew; who asks only once for a WebSocket.
        yield "Use POST; subscriptions alone need a WebSocket with graphql-transport-ws."
    if _NO_TEXT.search(context.query or "") or any(map(_ODD.search, _texts(context.variables))):
        yield "A text holds a character that cannot be stored; remove it."


@dataclass(frozen=True, slots=True)
class Size:
    """What a selection is, with its fragments put in their places."""

    levels: int = 0
    fields: int = 0
    aliases: int = 0


@dataclass(slots=True)
class _Sizes:
    """The sizes of selections, each fragment's found once; a circle of them counts once."""

    fragments: dict[str, FragmentDefinitionNode]
    known: dict[str, Size] = field(default_factory=dict)

    def of(self, selected: SelectionSetNode | None) -> Size:
        """Return the size of a selection."""
        sizes = [self._one(each) for each in selected.selections] if selected else []
        levels = max((size.levels for size in sizes), default=0)
        fields = sum(size.fields for size in sizes)
        return Size(levels, fields, sum(size.aliases for size in sizes))

    def _one(self, selection: SelectionNode) -> Size:
        match selection:
            case FieldNode(alias=alias, selection_set=below):
                inner = self.of(below)
                levels = inner.levels + bool(below)
                return Size(levels, inner.fields + 1, inner.aliases + bool(alias))
            case InlineFragmentNode(selection_set=below):
                return self.of(below)
            case FragmentSpreadNode(name=name):
                return self._fragment(name.value)
            case _:
                return Size()

    def _fragment(self, name: str) -> Size:
        if name not in self.known:
            self.known[name] = Size()
            fragment = self.fragments.get(name)
            self.known[name] = self.of(fragment.selection_set) if fragment else Size()
        return self.known[name]


def size_problems(document: DocumentNode) -> Iterator[str]:
    """Say what is too deep in a query, or too wide."""
    nodes = document.definitions
    fragments = {
        node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)
    }
    sizes = _Sizes(fragments)
    for node in nodes:
        if not isinstance(node, OperationDefinitionNode):
            continue
        size = sizes.of(node.selection_set)
        if size.levels > MOST_LEVELS and not _is_introspection(node):
            yield f"The query is {size.levels} levels deep; at most {MOST_LEVELS}."
        if size.fields > MOST_FIELDS:
            yield f"The query has more than {MOST_FIELDS} fields."
        if size.aliases > MOST_ALIASES:
            yield f"The query has more than {MOST_ALIASES} aliases."


def _is_introspection(node: OperationDefinitionNode) -> bool:
    """Whether it asks for the schema alone, which standard tools do thirteen levels deep."""
    return all(
        isinstance(each, FieldNode) and each.name.value.startswith("__")
        for each in node.selection_set.selections
    )


def _texts(value: object) -> Iterator[str]:
    """Yield all texts of a JSON value."""
    match value:
        case str():
            yield value
        case dict():
            yield from _texts([*value, *value.values()])
        case list():
            for each in value:
                yield from _texts(each)
        case _:
            pass
