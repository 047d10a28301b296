"""The fleet for commands: they ask its Valkey, whether a gateway runs on this machine or not."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from longwire.core.errors import ConfigurationError, sole
from longwire.core.ports import REVISION

if TYPE_CHECKING:
    from longwire.fleet.fleet import Fleet
    from longwire.settings import Settings

T = TypeVar("T")


def with_fleet(settings: "Settings", work: "Callable[[Fleet], Awaitable[T]]") -> T:
    """Ask the fleet that the settings name something; without one, what workers here share.

    Raises `ConfigurationError` where there is none, or it cannot be asked.
    """
    import asyncio

    from longwire.fleet.fleet import import_joined
    from longwire.server import logs

    url = _url_of(settings)
    if not url:
        raise ConfigurationError(
            f"no workers of this user share anything at port {settings.server.port}; for a fleet "
            "name its Valkey in fleet.url (LONGWIRE_FLEET__URL)"
        )
    visit = partial(import_joined().visiting, url)
    logs.configure()  # why the server is away is no part of what is printed
    return asyncio.run(_work(visit, work))


async def tell_of_a_change(settings: "Settings") -> None:
    """Let running nodes take over at once what was changed in the store.

    Whom this does not reach, as where Valkey is away, looks by itself within a second.
    """
    from longwire.fleet.fleet import import_joined
    from longwire.server import logs

    try:
        if url := _url_of(settings):
            logs.configure(logging.ERROR)
            async with import_joined().visiting(url) as fleet:
                fleet.tidings.tell(REVISION, {})
    except* (ConfigurationError, OSError):
        pass


def _url_of(settings: "Settings") -> str:
    from longwire.supervisor.own_valkey import url_at

    return settings.fleet.url.get_secret_value() or url_at(settings.server.port)


async def _work(
    visit: "Callable[[], AbstractAsyncContextManager[Fleet]]",
    work: "Callable[[Fleet], Awaitable[T]]",
) -> T:
    try:
        async with visit() as fleet:
            return await work(fleet)
    except BaseExceptionGroup as failures:
        raise sole(failures) from None
