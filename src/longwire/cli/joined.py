"""The fleet for commands: they ask its Valkey, whether a gateway runs on this machine or not."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from longwire.cli.store import sole
from longwire.core.errors import ConfigurationError

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
    from longwire.supervisor.own_valkey import url_at

    url = settings.fleet.url.get_secret_value() or url_at(settings.server.port)
    if not url:
        raise ConfigurationError(
            f"no workers of this user share anything at port {settings.server.port}; for a fleet "
            "name its Valkey in fleet.url (LONGWIRE_FLEET__URL)"
        )
    visit = partial(import_joined().visiting, url)
    logs.configure()  # why the server is away is no part of what is printed
    return asyncio.run(_work(visit, work))


async def _work(
    visit: "Callable[[], AbstractAsyncContextManager[Fleet]]",
    work: "Callable[[Fleet], Awaitable[T]]",
) -> T:
    try:
        async with visit() as fleet:
            return await work(fleet)
    except BaseExceptionGroup as failures:
        raise sole(failures) from None
