"""A gateway of which something fails that runs beside its turns."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from longwire.app import App
from longwire.processes import run, server_of
from longwire.server.http.listener import listen
from longwire.settings import Settings


def test_a_process_ends_with_what_it_cannot_go_on_without():
    """It neither lives on, refusing every turn, nor ends as if it had been told to."""
    settings = Settings()
    app = App(settings)

    async def fail():
        await asyncio.sleep(0.1)
        raise RuntimeError("the heartbeat ended")

    @asynccontextmanager
    async def failing():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            yield

    app.fleet = replace(app.fleet, running=failing)
    with pytest.raises(SystemExit) as caught:
        run(app, server_of(app, settings), listen("127.0.0.1", 0))
    assert 3 == caught.value.code
