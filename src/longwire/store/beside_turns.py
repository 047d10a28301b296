"""What some turns have beside their rows: bodies, packed and sealed, and details as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Dialect, insert
from zstandard import ZstdCompressor, ZstdDecompressor

from longwire.core.nouns.turn_row import RouteStep, TurnAttempt, TurnBodies, TurnDetails, TurnId
from longwire.store.body_search import words_written
from longwire.store.log_tables import turn_bodies, turn_details
from longwire.store.secrets import Vault
from longwire.store.sqlite_writer import Statement


class BesideTurns:
    """Packs and seals what is beside turns for one database, and opens it again.

    Where it `indexes_bodies`, these are found by their words.
    """

    def __init__(self, vault: Vault, dialect: Dialect, *, indexes_bodies: bool) -> None:
        self._vault = vault
        self._is_sqlite = dialect.name == "sqlite"
        self._indexes_bodies = indexes_bodies
        self._insert_bodies = str(insert(turn_bodies).compile(dialect=dialect))
        self._insert_details = str(insert(turn_details).compile(dialect=dialect))

    def statements(self, beside: Sequence[TurnBodies | TurnDetails]) -> list[Statement]:
        """Return the statements that write it, to be run with those of the rows."""
        bodies = [each for each in beside if isinstance(each, TurnBodies)]
        details = [each for each in beside if isinstance(each, TurnDetails)]
        statements: list[Statement] = [
            (self._insert_bodies, self._sealed(bodies)),
            (self._insert_details, [(each.id, _json(each)) for each in details]),
        ]
        if self._indexes_bodies:
            statements.append(words_written(bodies, is_sqlite=self._is_sqlite))
        return statements

    def opened(self, turn_id: TurnId, request: bytes, response: bytes) -> TurnBodies:
        """Return the bodies of a turn as they were before they were sealed."""
        unpack = ZstdDecompressor()

        def body(column: str, sealed: bytes) -> bytes:
            opened = self._vault.open(sealed, _place(column, turn_id)) if sealed else b""
            return unpack.decompress(opened) if opened else b""

        return TurnBodies(turn_id, body("request", request), body("response", response))

    def _sealed(self, bodies: Sequence[TurnBodies]) -> list[tuple[Any, ...]]:
        pack = ZstdCompressor()
        return [
            (
                each.id,
                self._seal(pack, each.id, "request", each.request),
                self._seal(pack, each.id, "response", each.response),
            )
            for each in bodies
        ]

    def _seal(self, pack: ZstdCompressor, turn_id: TurnId, column: str, body: bytes) -> bytes:
        return self._vault.seal(pack.compress(body), _place(column, turn_id)) if body else b""


def _place(column: str, turn_id: TurnId) -> str:
    return f"turn_bodies.{column}:{turn_id}"


class _StoredDetails(msgspec.Struct):
    """How details are written: members may come to it, and none is needed to read it."""

    headers: Mapping[str, str] = {}
    attempts: tuple[TurnAttempt, ...] = ()
    message: str = ""
    route: tuple[RouteStep, ...] = ()


_stored_details: Final = msgspec.json.Decoder(_StoredDetails)


def _json(details: TurnDetails) -> str:
    return msgspec.json.encode(_StoredDetails(*details[1:])).decode()


def details_of(turn_id: TurnId, text: str) -> TurnDetails:
    """Return details as they are written."""
    stored = _stored_details.decode(text)
    return TurnDetails(turn_id, stored.headers, stored.attempts, stored.message, stored.route)
