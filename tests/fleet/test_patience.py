"""How long is waited for Valkey, by a loop that may be held up."""

import asyncio
import time

import pytest

from longwire.fleet.patience import Patience


async def waits(seconds, held_up=0.0, answer_after=60.0):
    """Wait for an answer in a loop that is held up first."""
    async with asyncio.timeout(None) as bound:
        patience = Patience(bound, seconds)
        time.sleep(held_up)  # noqa: ASYNC251 - as a long turn does
        try:
            await asyncio.sleep(answer_after)
        finally:
            patience.end()


async def test_what_does_not_come_is_given_up():
    """After the seconds, not before."""
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        await waits(0.05)
    assert time.monotonic() - begun >= 0.05


async def test_a_loop_that_was_held_up_still_waits():
    """What kept it is not the server's fault."""
    await waits(0.05, held_up=0.2, answer_after=0.01)


async def test_who_is_answered_is_bound_no_more():
    """What comes after the answer has all the time it needs."""
    async with asyncio.timeout(None) as bound:
        Patience(bound, 0.01).end()
        await asyncio.sleep(0.05)
