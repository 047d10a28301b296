"""The number of nodes, kept in the database for whoever cannot ask Valkey."""

import asyncio
from typing import Final

from longwire.core.errors import StoreUnavailable
from longwire.fleet.nodes import Nodes
from longwire.logger import structlog
from longwire.store.database import Database
from longwire.store.nodes import count_with

_log = structlog.get_logger()
_COUNTED_EVERY: Final = 30.0


class NodesKept:
    """Says that this node is there; while Valkey is away, its shares are by those that say so."""

    def __init__(self, database: Database, nodes: Nodes) -> None:
        self._database = database
        self._nodes = nodes

    async def recount(self) -> None:
        """Count now; where the database is away, too, the number last known stays."""
        if not self._nodes.is_shared:
            return
        try:
            count = await count_with(self._database, self._nodes.own.name)
        except StoreUnavailable as error:
            _log.debug("nodes_wait", error=error.reason)
            return
        if self._nodes.is_cut_off:
            self._nodes.count = count

    async def keep_counted(self) -> None:
        """Count until cancelled."""
        while True:
            await asyncio.sleep(_COUNTED_EVERY)
            await self.recount()
