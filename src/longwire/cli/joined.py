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
    """Ask the fleet that the settings name something.

    Raises `ConfigurationError` where there is none, or it cannot be asked.
    """
    import asyncio

    from longwire.fleet.fleet import import_joined
    from longwire.server import logs

    url = settings.fleet.url.get_secret_value()
    if not url:
        raise ConfigurationError(
            "this gateway shares nothing with others; name the Valkey of the fleet in fleet.url "
            "(LONGWIRE_FLEET__URL)"
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
