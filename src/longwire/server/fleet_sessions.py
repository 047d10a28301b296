"""The live connections of the whole fleet: this node's own, and what the others tell of theirs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from longwire.core.errors import FleetUnavailable, NotFound
from longwire.fleet.asking import Asking, LatestAnswers
from longwire.server.live_sessions import LiveSessions

_MOST: Final = 1_000
"""Rows of one other node that are told, those with a turn under way first."""

Row = dict[str, Any]


class FleetSessions:
    """The live connections of all nodes. `id` is a node's name and its number of a connection."""

    def __init__(self, live: LiveSessions, asking: Asking) -> None:
        self.live = live
        self._asking = asking
        self._others = LatestAnswers(asking, "sessions")
        asking.answer("sessions", lambda _: _most(self.own()))
        asking.answer("close_session", lambda facts: self._close_own(int(facts["connection"])))

    def own(self) -> list[Row]:
        """Return the rows of this node."""
        node = self._asking.node
        return [
            {"id": f"{node}/{row['connection']}", "node": node, **row} for row in self.live.rows()
        ]

    async def all(self, fields: Collection[str]) -> tuple[list[Row], Sequence[str]]:
        """Return the rows of all nodes, and the names of those that did not answer.

        Of other nodes those that have all the fields.
        """
        answers = await self._others.get()
        return [*self.own(), *answers.rows(fields)], answers.missing

    async def close(self, session_id: str) -> str:
        """End a connection after the turn it may serve, and return its channel.

        Raises `NotFound`, and `FleetUnavailable` where its node does not answer.
        """
        node, _, number = session_id.rpartition("/")
        if not node or not number.isdecimal():
            raise NotFound("connection", session_id)
        if node == self._asking.node:
            closed = self._close_own(int(number))
        else:
            closed = await self._close_at(node, int(number))
        if closed is None:
            raise NotFound("connection", session_id)
        return str(closed["channel"])

    def _close_own(self, connection: int) -> Mapping[str, str] | None:
        rows = [row for row in self.live.rows() if row["connection"] == connection]
        if not self.live.close(connection):
            return None
        return {"channel": "".join(row["channel"] for row in rows)}

    async def _close_at(self, node: str, connection: int) -> Mapping[str, str] | None:
        answers = await self._asking.ask("close_session", {"connection": connection}, node)
        if node not in answers.by_node:
            raise FleetUnavailable(f"The node '{node}' does not answer; try again in a moment.")
        closed: Mapping[str, str] | None = answers.by_node[node]
        return closed


def _most(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["state"] != "leased")[:_MOST]
