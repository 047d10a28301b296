"""The store for commands: they work on the database itself, whether a gateway runs or not."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from longwire.cli.joined import tell_of_a_change
from longwire.core.errors import Conflict, sole
from longwire.core.nouns.access import Actor
from longwire.core.nouns.page import Page
from longwire.core.nouns.secret import Secret

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store

T = TypeVar("T")
Config = Annotated[Path | None, typer.Option(help="The TOML file to read.", dir_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CALLED: Final = "command line"
_AT_ONCE: Final = 200


def with_store(config: Path | None, work: Callable[["Store"], Awaitable[T]]) -> T:
    """Open the store that the settings name, do some work with it, and close it.

    Raises `ConfigurationError` where it cannot be opened.
    """
    return with_settings(config, lambda store, _: work(store))


def with_settings(config: Path | None, work: Callable[["Store", "Settings"], Awaitable[T]]) -> T:
    """Do some work with the store and the settings that name it; see `with_store`."""
    import asyncio

    return asyncio.run(_work(config, work))


async def _work(config: Path | None, work: Callable[["Store", "Settings"], Awaitable[T]]) -> T:
    from longwire.settings import load
    from longwire.store.store import open_store

    settings = load(config)
    database = settings.database
    secret = Secret(database.secret_key.get_secret_value())
    store = await open_store(
        database.url.get_secret_value(),
        secret,
        database.secret_file,
        indexes_bodies=settings.bodies.index,
    )
    try:
        before = await store.configuration_revision()
        result = await work(store, settings)
        if await store.configuration_revision() != before:
            await tell_of_a_change(settings)
        return result
    except BaseExceptionGroup as failures:
        raise sole(failures) from None
    finally:
        await store.close()


async def every(page: Callable[..., Awaitable["Page[T]"]]) -> list[T]:
    """Return what a list has, page by page."""
    found = await page(first=_AT_ONCE)
    items = list(found.items)
    while found.has_more:
        found = await page(first=_AT_ONCE, after=found.edges[-1][0])
        items += found.items
    return items


def refuse_declared(config: Path | None, noun: str, name: str) -> None:
    """Raise `Conflict` for a channel, a model or a key that the configuration file declares."""
    from longwire.settings import load

    settings = load(config)
    names = {
        "channel": [each.name for each in settings.channels],
        "model": [each.name for each in settings.models],
    }
    if name in names.get(noun, [each.name for each in settings.api_keys]):
        place = settings.source or "the environment"
        raise Conflict(f"The {noun} '{name}' is managed by {place}; change it there.")


def operator() -> Actor:
    """Return whom the audit log names for what a command changes."""
    return Actor("", CALLED)
