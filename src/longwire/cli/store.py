"""The store for commands: they work on the database itself, whether a gateway runs or not."""

from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from longwire.cli.joined import tell_of_a_change
from longwire.core.errors import NotFound, NothingKept, managed_by_file, sole
from longwire.core.nouns.access import Actor
from longwire.core.nouns.page import Page
from longwire.core.nouns.secret import Secret

if TYPE_CHECKING:
    from longwire.core.nouns.alert import AlertRule
    from longwire.core.nouns.destination import AlertDestination
    from longwire.settings import Settings
    from longwire.store.database import Database
    from longwire.store.store import Store

T = TypeVar("T")
OfAlerts = TypeVar("OfAlerts", "AlertRule", "AlertDestination")
Config = Annotated[Path | None, typer.Option(help="The TOML file to read.", dir_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CALLED: Final = "command line"
_AT_ONCE: Final = 200


def with_store(
    config: Path | None, work: Callable[["Store"], Awaitable[T]], *, creates: bool = False
) -> T:
    """Open the store that the settings name, do some work with it, and close it.

    Only what `creates` something makes a database and a secret key where there are none. Raises
    `ConfigurationError` where it cannot be opened.
    """
    return with_settings(config, lambda store, _: work(store), creates=creates)


def with_settings(
    config: Path | None,
    work: Callable[["Store", "Settings"], Awaitable[T]],
    *,
    creates: bool = False,
) -> T:
    """Do some work with the store and the settings that name it; see `with_store`."""
    import asyncio

    from longwire.settings import load

    settings = load(config)
    return asyncio.run(_work(settings, work, creates=creates))


def show_database(database: "Database", *, is_new: bool = False) -> None:
    """Say on stderr, once, which database a command is about, and whether it is made now."""
    _say_once(f"database: {database.place}{' (new)' if is_new else ''}")


@cache
def _say_once(line: str) -> None:
    typer.echo(line, err=True)


def _missing(error: NothingKept, settings: "Settings") -> NothingKept:
    """Say why that database was looked for, and the mend."""
    from getpass import getuser

    from longwire.settings import why_this_database

    origin = why_this_database(settings)
    why = f"named by {origin}" if origin else f"the default of the user {getuser()}"
    return NothingKept(
        f"{error} ({why}); `longwire serve` makes it. For another one, as that of another user's "
        "gateway, write --config FILE or set LONGWIRE_DATABASE__URL"
    )


async def _work(
    settings: "Settings",
    work: Callable[["Store", "Settings"], Awaitable[T]],
    *,
    creates: bool,
) -> T:
    from longwire.store.database import is_missing
    from longwire.store.store import open_kept_store, open_store

    database = settings.database
    secret = Secret(database.secret_key.get_secret_value())
    url = database.url.get_secret_value()
    was_missing = is_missing(url)
    try:
        open_it = open_store if creates else open_kept_store
        store = await open_it(
            url, secret, database.secret_file, indexes_bodies=settings.bodies.index
        )
    except NothingKept as error:
        raise _missing(error, settings) from None
    show_database(store.database, is_new=was_missing)
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
        raise managed_by_file(noun, name, str(settings.source or ""))


def to_change(noun: str, which: str, among: Iterable[OfAlerts], settings: "Settings") -> OfAlerts:
    """Return what a name or an id means. Raises `NotFound`, `Conflict`."""
    for each in among:
        if which in (each.name, each.id):
            if each.is_declared:
                raise managed_by_file(noun, each.name, str(settings.source or ""))
            return each
    raise NotFound(noun, which)


def operator() -> Actor:
    """Return whom the audit log names for what a command changes."""
    return Actor("", CALLED)
