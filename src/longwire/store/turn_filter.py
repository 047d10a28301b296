"""Which turns of the log are asked for, and how SQL says it.

Law: the first column that is compared is the one whose index finds the fewest turns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, literal_column

from longwire.core.errors import FieldProblem, InvalidFields
from longwire.core.nouns.access import GREATEST
from longwire.core.nouns.turn_row import earliest_id
from longwire.store.log_tables import turns

_LONGEST_ID: Final = 19
_NOT_INDEXED: Final = {
    "session": "",
    "trace": "",
    "reason": "",
    "response_id": "",
    "error_code": "",
    "upstream_api": "responses",
}
"""The value of a column that its index leaves out."""

_COMMON: Final = frozenset(
    {
        "completed",
        "continued",
        "fresh",
        "responses",
        "new_session",
        "new_branch",
        "history_rewritten",
        "properties_changed",
        "http_transport",
        "one_shot",
        "native_api",
        "translated",
    }
)
"""What is said of most turns: to look for it by its index finds too many."""


@dataclass(frozen=True, slots=True)
class TurnFilter:
    """Which turns: "" is any; `since` and before `until` they ended, in ms since 1970 UTC.

    `project_ids` and `key_ids` are those that may be seen, None for all.
    """

    project_ids: tuple[str, ...] | None = None
    key_id: str = ""
    session: str = ""
    request_id: str = ""
    response_id: str = ""
    trace: str = ""
    channel_id: str = ""
    model: str = ""
    outcome: str = ""
    continuity: str = ""
    reason: str = ""
    api: str = ""
    upstream_api: str = ""
    error_code: str = ""
    node: str = ""
    connection: int | None = None
    has_failed: bool = False
    since: int | None = None
    until: int | None = None
    key_ids: tuple[str, ...] | None = None

    @property
    def seen(self) -> tuple[str, tuple[str, ...] | None]:
        """The column that bounds what may be seen, with its values, None for any."""
        if self.key_ids is not None:
            return "key_id", self.key_ids
        return "project_id", self.project_ids

    @property
    def is_blind(self) -> bool:
        """Whether nothing may be seen."""
        return self.key_ids == () or self.project_ids == ()

    def values(self, **bound: str) -> dict[str, str]:
        """Return the columns to compare, those that are `bound` besides, the most selective first.

        What is bound goes before what is asked for: who may see one value alone finds that alone.
        """
        columns = {
            "request_id": self.request_id,
            "response_id": self.response_id,
            "trace": self.trace,
            "session": self.session,
            "error_code": self.error_code,
            "reason": self.reason,
            "outcome": self.outcome,
            "continuity": self.continuity,
            "api": self.api,
            "upstream_api": self.upstream_api,
            "key_id": self.key_id,
            "model_asked": self.model,
            "channel_id": self.channel_id,
        }
        found = {name: value for name, value in {**columns, **bound}.items() if value}
        return dict(sorted(found.items(), key=lambda each: each[1] in _COMMON))


ANY_TURN: Final = TurnFilter()


def conditions(values: dict[str, str], *, is_sqlite: bool) -> Iterator[ColumnElement[bool]]:
    """Compare columns; on SQLite, which has no figures of them, by the first one's index."""
    for number, (name, value) in enumerate(values.items()):
        column = turns.c[name]
        if number and is_sqlite:
            yield (column + "") == value
            continue
        yield column == value
        left_out = _NOT_INDEXED.get(name, value)
        if left_out != value:
            yield column != literal_column(f"'{left_out}'")


def times(wanted: TurnFilter) -> Iterator[ColumnElement[bool]]:
    """Compare what no index of its own finds: the time, the node, the connection, any failure."""
    if wanted.connection is not None:
        yield turns.c.connection == wanted.connection
    if wanted.node:
        yield turns.c.node == wanted.node
    if wanted.has_failed:
        yield turns.c.error_code != literal_column("''")
    if wanted.since is not None:
        yield turns.c.id >= bounded(earliest_id(wanted.since))
    if wanted.until is not None:
        yield turns.c.id < bounded(earliest_id(wanted.until))


def bounded(turn_id: int) -> int:
    """Keep to what the column holds, whatever was asked for."""
    return max(0, min(turn_id, GREATEST))


def cursor(after: str) -> int:
    """Return the id that a page ended with. Raises `InvalidFields`."""
    if not (after.isascii() and after.isdecimal() and len(after) <= _LONGEST_ID):
        raise InvalidFields([FieldProblem("after", "is no cursor of this list; leave it out")])
    return bounded(int(after))
