"""`longwire accounts`: the accounts of codex channels; a running gateway takes changes over."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longwire.cli.store import AsJson, Config, operator, with_settings, with_store
from longwire.cli.tables import show, show_json, show_table
from longwire.core.errors import AccountUnavailable, ConfigurationError, NotFound
from longwire.core.nouns.account import Account, AccountStatus

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store

Named = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="The account's id, or its e-mail address.")
]
_TITLES = ("account", "plan", "status", "used", "token", "problem", "id")


def build() -> typer.Typer:
    """The commands below `longwire accounts`."""
    commands = typer.Typer(help="List and change accounts.", no_args_is_help=True)
    for command in (list_, enable, disable, refresh, remove):
        commands.command(command.__name__.rstrip("_"))(command)
    return commands


def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List all accounts with what is used of their quota."""
    found = with_store(config, lambda store: store.accounts.all())
    if as_json:
        show_json([_as_json(each) for each in found])
        return
    now = time.time()
    rows = [_row(each, now) for each in found]
    show_table(_TITLES, rows, "no accounts yet; sign one in: longwire login codex")


def enable(account: Named, config: Config = None, as_json: AsJson = False) -> None:
    """Let an account take turns."""
    _set_status(account, "active", config, as_json=as_json)


def disable(account: Named, config: Config = None, as_json: AsJson = False) -> None:
    """Let an account take no turns; its sessions go on with others."""
    _set_status(account, "disabled", config, as_json=as_json)


def refresh(account: Named, config: Config = None, as_json: AsJson = False) -> None:
    """Fetch new tokens now. Exit code 1 if the issuer gives none."""

    async def work(store: "Store", settings: "Settings") -> Account:
        from longwire.relay.accounts.accounts import LiveAccounts
        from longwire.relay.accounts.issuers import Issuers
        from longwire.settings.declared import registration_of
        from longwire.store.store import now_ms

        held = await _find(store, account)
        issuers = Issuers(registration_of(settings.codex), now_ms, store.channels)
        live = LiveAccounts(store.accounts, issuers, now_ms)
        try:
            async with live.running():
                renewed = await live.renew_stored(held)
        except* AccountUnavailable as failures:
            reason = failures.exceptions[0]
            raise ConfigurationError(f"{held.label}: no new tokens: {reason}") from None
        await store.accounts.note_refresh(renewed, operator())
        return renewed

    tell(with_settings(config, work), as_json=as_json)


def remove(account: Named, config: Config = None) -> None:
    """Forget an account and its tokens."""

    async def work(store: "Store") -> str:
        held = await _find(store, account)
        await store.accounts.remove(held.id, held.revision, operator())
        return held.label

    typer.echo(f"removed {with_store(config, work)}")


def summary(account: Account, now: float) -> str:
    """Return how an account is, in one line."""
    quota = account.quota
    if account.problem:
        return f"must sign in again: {account.problem}"
    until = quota.blocked_until(now)
    if until is not None:
        return f"used up until {_at(until)}"
    return f"{account.status.value}, {_used(account, now) or 'quota not seen yet'}"


def tell(account: Account, *, as_json: bool) -> None:
    """Print an account that was signed in or changed."""
    plan = f" ({account.owner.plan})" if account.owner.plan else ""
    line = f"{account.label}{plan}: {account.status.value}, {account.id}"
    show(_as_json(account), line, as_json=as_json)


def _set_status(account: str, status: str, config: Config, *, as_json: bool) -> None:
    async def work(store: "Store") -> Account:
        held = await _find(store, account)
        wanted = AccountStatus(status)
        return await store.accounts.set_status(held.id, held.revision, wanted, operator())

    tell(with_store(config, work), as_json=as_json)


async def _find(store: "Store", named: str) -> Account:
    """Return the account of an id, or the only one of an e-mail address."""
    every = await store.accounts.all()
    found = [each for each in every if named in (each.id, each.owner.email)]
    if not found:
        raise NotFound("account", named)
    if len(found) > 1:
        ids = ", ".join(each.id for each in found)
        raise ConfigurationError(f"several accounts are called '{named}'; name one of {ids}")
    return found[0]


def _row(account: Account, now: float) -> tuple[str, ...]:
    expires = account.tokens.expires_at
    return (
        account.label,
        account.owner.plan,
        account.status.value,
        _used(account, now),
        f"until {_at(expires / 1000)}" if expires else "",
        account.problem,
        account.id,
    )


def _used(account: Account, now: float) -> str:
    windows = account.quota.windows
    return ", ".join(
        f"{each.used(now):.0f} %" + (f" of {_length(each.minutes)}" if each.minutes else "")
        for each in windows
    )


def _length(minutes: int) -> str:
    hours, days = minutes / 60, minutes / 1440
    return f"{days:g} d" if days >= 1 else f"{hours:g} h"


def _at(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _as_json(account: Account) -> dict[str, Any]:
    """Return an account for a program, without its tokens."""
    return {
        "id": account.id,
        "channel_id": account.channel_id,
        "email": account.owner.email,
        "account_id": account.owner.account_id,
        "plan": account.owner.plan,
        "status": account.status.value,
        "problem": account.problem,
        "expires_at": account.tokens.expires_at,
        "refreshed_at": account.refreshed_at,
        "quota": account.quota,
    }
