"""What tests of turns over the pool share."""

import json

import pytest

CONTINUED = ("continued", None)
AS_GIVEN = ("as-given", None)
TITLE = {"instructions": "Name it.", "tools": None}


def delayed(milliseconds):
    """The `metadata` of a turn whose events alone come so far apart, without commentary."""
    return {"emulator": json.dumps({"delay_ms": milliseconds, "commentary": False})}


def fresh(reason):
    """How a turn travels in full."""
    return ("fresh", reason)


async def collect(stream, batches):
    """Add the size of every batch to `batches`."""
    async for batch in stream:
        batches.append(len(batch))


async def fail(agent, error):
    """Take a turn that is to fail, and return its error."""
    with pytest.raises(error) as failure:
        await agent.take()
    return failure.value
