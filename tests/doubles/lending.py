"""A lease for the length of a context, as one exchange has it."""

from contextlib import asynccontextmanager

from longwire.core.rules.lease import DISCARDED


@asynccontextmanager
async def lent(pool, call, dial):
    """A connection of a pool, given back half read unless the context ends the lease itself."""
    lease = await pool.borrow(call, dial)
    try:
        yield lease
    finally:
        lease.settle(DISCARDED)
