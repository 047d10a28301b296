"""An hour passes, in virtual time: upstream connections end meanwhile, the client's does not."""

import asyncio
from functools import partialmethod

import pytest
import uvicorn

from longwire.emulator import Emulator, Options
from longwire.relay.channels.reconcile import ChannelReconciler
from tests.conftest import serving, settings_for
from tests.doubles.talk import talking

OVER_WEBSOCKET = {"transport": "websocket"}
PATIENT = {"idle_ttl": "3h"}


@pytest.fixture(autouse=True)
def _rarely_look(monkeypatch):
    """Uvicorn looks ten times a second whether it is to end, the reconciler each second.

    In hours, that is most of the work.
    """

    async def look_every_minute(server):
        while not server.should_exit:  # noqa: ASYNC110 - it tells nobody of itself
            await asyncio.sleep(60)

    monkeypatch.setattr(uvicorn.Server, "main_loop", look_every_minute)
    each_minute = partialmethod(ChannelReconciler.watching, 60.0)
    monkeypatch.setattr(ChannelReconciler, "watching", each_minute)


@pytest.mark.looptime
@pytest.mark.parametrize("announce", ["next_create", "idle"])
@pytest.mark.parametrize(
    ("lifetime", "sessions"),
    [(3600, {}), (1800, PATIENT)],
    ids=["the gateway ends it in time", "the upstream ends it"],
)
async def test_the_limit_of_sixty_minutes_is_not_seen(lifetime, sessions, announce):
    """A client that rests for longer than any upstream connection lives goes on by its id."""
    options = Options(lifetime=lifetime, announce_limit=announce)
    async with Emulator(options) as emulator:
        settings = settings_for(emulator.url, channel=OVER_WEBSOCKET, sessions=sessions)
        async with serving(settings) as gateway, talking(gateway, emulator) as talk:
            await talk.steps(2)
            await asyncio.sleep(3_700)
            await talk.steps(2)
            await asyncio.sleep(7_300)
            await talk.steps(2)
        counters = emulator.counters
        assert [] == emulator.violations
        assert (3, 3) == (counters.sockets_opened, counters.creates_full)
        assert 3 == counters.creates_continued
