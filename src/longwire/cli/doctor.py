"""`longwire doctor`: whether what a gateway needs is there, one line each."""

import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli.fleet_checks import Check, Verdict, check_clock, check_fleet, database_ahead
from longwire.cli.sign_on_checks import check_sign_on
from longwire.cli.store import Config, with_store
from longwire.cli.tables import say
from longwire.core.errors import LongwireError, NothingKept
from longwire.core.nouns.channel import ChannelSpec, Status

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store

Offline = Annotated[
    bool, typer.Option("--offline", help="Do not try channels, which spends a few tokens.")
]


_MARKS = {
    Verdict.OK: ("ok  ", "green"),
    Verdict.WARN: ("warn", "yellow"),
    Verdict.FAIL: ("FAIL", "red"),
}


def doctor(config: Config = None, offline: Offline = False) -> None:
    """Check configuration, database, fleet and each channel; exit code 1 if anything is wrong."""
    from longwire.settings import load

    try:
        settings = load(config)
    except LongwireError as error:
        _tell("configuration", str(error), is_well=False)
        raise typer.Exit(1) from None
    _tell("configuration", str(settings.source or "no file; defaults and environment"))
    is_well = _check_store(settings, config, tries=not offline)
    for check in (*check_sign_on(settings), *check_fleet(settings)):
        is_well &= _show(check)
    if not is_well:
        raise typer.Exit(1)


def _check_store(settings: "Settings", config: Path | None, *, tries: bool) -> bool:
    from longwire.settings.declared import channel_of
    from longwire.store.database import place_of
    from longwire.store.migrate import head

    declared = tuple(channel_of(each) for each in settings.channels)
    stored: tuple[ChannelSpec, ...] = ()
    schema: str | None = None
    is_well = True
    try:
        stored, schema = with_store(config, _stored)
    except NothingKept as error:
        _show(Check("database", str(error), Verdict.WARN))
    except LongwireError as error:
        is_well = _tell("database", str(error), is_well=False)
    else:
        place = place_of(settings.database.url.get_secret_value())
        newer = "" if schema == head() else f", newer than {head()} and compatible with it"
        _tell("database", f"{place}, schema {schema}{newer}")
        _tell("secret key", "the one that the database was written with")
        proxies = _check_proxies(settings, with_store(config, _untrusted))
        for check in (*_check_budgets(settings, config), *proxies):
            _show(check)
        if not place.startswith("sqlite:"):
            _show(check_clock("database", with_store(config, database_ahead)))
    specs = [spec for spec in (*declared, *stored) if spec.status is Status.ENABLED]
    if not specs:
        is_well = _tell(
            "channels", "none is enabled; add one: longwire channels add NAME", is_well=False
        )
    accounts = _tell_accounts(config, specs) if is_well and schema else {}
    _tell_health(settings, specs)
    return _try_all(specs if tries else [], accounts) and is_well


def _try_all(specs: list[ChannelSpec], accounts: dict[str, bool]) -> bool:
    """Try channels; those with accounts are as well as these. Return whether all are."""
    import asyncio

    from longwire.cli.channels import summary
    from longwire.relay.channels.probe import probe

    is_well = True
    for spec in specs:
        if spec.id in accounts and not spec.credential:
            is_well &= accounts[spec.id]
            continue
        probed = asyncio.run(probe(spec, None))
        is_well &= _tell(f"channel {spec.name}", summary(probed), is_well=not probed.error)
    return is_well


async def _stored(store: "Store") -> tuple[tuple[ChannelSpec, ...], str | None]:
    """Return the channels of a store, and its schema."""
    from longwire.store.migrate import schema_of

    return await store.channels.all(), await schema_of(store.database)


async def _untrusted(store: "Store") -> Collection[str]:
    return await store.untrusted_proxies.all()


def _check_budgets(settings: "Settings", config: Path | None) -> Iterator[Check]:
    """Yield a warning for each budget of dollars that covers models without a price."""
    from longwire.cli.budgets import states_of, unpriced_text

    for state in with_store(config, lambda store: states_of(store, settings)):
        if state.unpriced:
            yield Check("budgets", unpriced_text(state), Verdict.WARN)


def _check_proxies(settings: "Settings", seen: Collection[str]) -> Iterator[Check]:
    """Yield a warning for each proxy that the gateway met, and that nobody named."""
    from longwire.server.http.forwarded import TrustedProxies, parse_address

    trusted = TrustedProxies(settings.server.proxy_networks)
    for each in seen:
        address = parse_address(each)
        if address is not None and not trusted.trusts(address):
            how = (
                "says whom its requests come from, but is not trusted, so its clients count as "
                f'one; if it is your proxy: server.trusted_proxies = ["{each}"]'
            )
            yield Check(f"proxy {each}", how, Verdict.WARN)


def _tell_accounts(config: Path | None, specs: list[ChannelSpec]) -> dict[str, bool]:
    """Tell each account in a line; return for each channel that has some whether one is well."""
    from longwire.cli.accounts import summary

    names = {spec.id: spec.name for spec in specs}
    well: dict[str, bool] = {}
    for account in with_store(config, lambda store: store.accounts.all()):
        if account.channel_id in names:
            is_well = _tell(
                f"account {account.label} of {names[account.channel_id]}",
                summary(account, time.time()),
                is_well=not account.problem,
            )
            well[account.channel_id] = well.get(account.channel_id, False) or is_well
    return well


def _tell_health(settings: "Settings", specs: list[ChannelSpec]) -> None:
    """Warn of each channel that rests or fails at a running gateway, and say why."""
    from longwire.cli.channel_health import ask_health, fares_of, summary

    answers = ask_health(settings)
    for spec in specs:
        for node, fare in fares_of(spec.id, answers).items():
            if fare.resting is not None or fare.problem:
                _show(Check(f"channel {spec.name} at {node}", summary(fare), Verdict.WARN))


def _show(check: Check) -> bool:
    """Print a check; False where something will fail."""
    typer.echo(f"{typer.style(*_MARKS[check.verdict])} ", nl=False)
    say(f"{check.what}: {check.how}")
    return check.verdict is not Verdict.FAIL


def _tell(what: str, how: str, *, is_well: bool = True) -> bool:
    return _show(Check(what, how, Verdict.OK if is_well else Verdict.FAIL))
