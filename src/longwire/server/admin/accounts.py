"""Accounts in the admin API, and how they sign in. No token ever leaves.

Law: the quota shown is the running gateway's own figure; the store's only where it runs nothing.
"""

import time
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import strawberry

from longwire.core.errors import Conflict
from longwire.core.nouns import account as core
from longwire.core.nouns import quota as known
from longwire.core.nouns.access import Permission
from longwire.core.nouns.account import AccountStatus
from longwire.dialects.codex.auth import decode_auth_json
from longwire.relay.accounts.sign_in import Method, SignIn, Stage
from longwire.server.admin.administration import Administration
from longwire.server.admin.context import Info, admitted, require
from longwire.server.admin.inputs import view_of
from longwire.server.admin.paging import Id
from longwire.server.admin.scalars import time_of, time_or_none

AuthJson = Annotated[str, strawberry.argument(name="authJSON")]
ChannelId = Annotated[strawberry.ID, strawberry.argument(name="channelID")]

strawberry.enum(AccountStatus, description="Whether an account takes turns.")
strawberry.enum(
    Method, name="CodexSignInMethod", description="By a browser, or by a code typed elsewhere."
)
strawberry.enum(Stage, name="CodexSignInStatus", description="How far a sign-in is.")


@strawberry.type(description="One limit of a subscription.")
class QuotaWindow:
    used_percent: float
    minutes: int | None = strawberry.field(description="How long a window lasts.")
    resets_at: datetime | None


@strawberry.type(description="What the provider told last of a subscription.")
class Quota:
    plan: str
    primary: QuotaWindow | None
    secondary: QuotaWindow | None
    limit_reached: bool
    credits_left: str = strawberry.field(description="In the provider's words; empty if untold.")
    blocked_until: datetime | None = strawberry.field(description="Null: it serves now.")
    seen_at: datetime | None


@strawberry.type(description="An account that a channel speaks for, without its tokens.")
class Account:
    id: strawberry.ID
    channel_id: strawberry.ID = strawberry.field(name="channelID")
    email: str
    account_id: str = strawberry.field(name="accountID", description="Sent upstream.")
    plan: str
    status: AccountStatus
    problem: str = strawberry.field(description="Why it must be signed in again, in a sentence.")
    expires_at: datetime | None = strawberry.field(description="When its access token dies.")
    refreshed_at: datetime | None
    created_at: datetime
    quota: Quota | None
    revision: int


@strawberry.type(description="A sign-in that is under way, or was lately.")
class CodexSignIn:
    id: strawberry.ID
    method: Method
    status: Stage
    url: str = strawberry.field(description="Where to go.")
    user_code: str = strawberry.field(description="What to type there; empty for a browser.")
    expires_at: datetime
    poll_seconds: int = strawberry.field(description="How often to ask how far it is.")
    error: str
    account: Account | None


def shown(account: core.Account, administration: Administration) -> Account:
    """Return an account as everybody may see it who may see channels."""
    live = administration.accounts.find(account.id)
    return view_of(
        Account,
        account,
        **asdict(account.owner),
        expires_at=time_or_none(account.tokens.expires_at),
        refreshed_at=time_or_none(account.refreshed_at),
        created_at=time_of(account.created_at),
        quota=_quota(live.quota_tracker.quota if live else account.quota),
    )


def _quota(quota: known.Quota) -> Quota | None:
    """Return a quota as it is shown, None where the provider never sent one."""
    if not quota.seen_at:
        return None
    return view_of(
        Quota,
        quota,
        primary=shown_window(quota.primary),
        secondary=shown_window(quota.secondary),
        blocked_until=_seconds(quota.blocked_until(time.time())),
        seen_at=_seconds(quota.seen_at),
    )


def shown_window(window: known.Window | None) -> QuotaWindow | None:
    """Return how much of a limit is used by now, None where that is not known."""
    if window is None:
        return None
    used = window.used(time.time())
    return QuotaWindow(
        used_percent=used, minutes=window.minutes, resets_at=_seconds(window.resets_at)
    )


def _seconds(at: float | None) -> datetime | None:
    return None if at is None else time_of(int(at * 1000))


async def accounts_of(info: Info, channel_id: str | None) -> list[Account]:
    """Return the accounts of a channel, or of all."""
    _, administration = admitted(info, Permission.CHANNELS_READ)
    held = await administration.store.accounts.all(channel_id)
    return [shown(each, administration) for each in held]


def _shown_sign_in(sign_in: SignIn, administration: Administration) -> CodexSignIn:
    return view_of(
        CodexSignIn,
        sign_in,
        status=sign_in.stage,
        expires_at=time_of(sign_in.expires_at),
        account=shown(sign_in.account, administration) if sign_in.account else None,
    )


async def _check(administration: Administration, channel_id: str) -> None:
    """Raise for a channel that takes no accounts, before anybody signs in for nothing."""
    for spec in administration.declared_channels():
        if spec.id == channel_id:
            place = administration.file or "the environment"
            raise Conflict(
                f"The channel '{spec.name}' is managed by {place} and has a key alone; accounts "
                "belong to a channel of type codex that is made here."
            )
    await administration.store.accounts.check_channel(channel_id)


async def _start(info: Info, channel_id: ChannelId, method: Method) -> CodexSignIn:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    await _check(administration, channel_id)
    return _shown_sign_in(
        await administration.sign_ins.begin(channel_id, method, viewer.actor), administration
    )


async def _finish(info: Info, sign_in_id: Id, callback_url: str) -> CodexSignIn:
    _, administration = admitted(info, Permission.CHANNELS_WRITE)
    sign_in = await administration.sign_ins.finish(sign_in_id, callback_url)
    return _shown_sign_in(sign_in, administration)


async def _cancel(info: Info, sign_in_id: Id) -> bool:
    require(info, Permission.CHANNELS_WRITE)
    return await info.context.administration.sign_ins.cancel(sign_in_id)


async def _sign_in(info: Info, sign_in_id: Id) -> CodexSignIn:
    _, administration = admitted(info, Permission.CHANNELS_WRITE)
    return _shown_sign_in(await administration.sign_ins.find(sign_in_id), administration)


async def _import(info: Info, channel_id: ChannelId, auth_json: AuthJson) -> Account:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    await _check(administration, channel_id)
    login = decode_auth_json(auth_json)
    account = await administration.store.accounts.sign_in(channel_id, login, viewer.actor)
    await administration.refresh()
    return shown(account, administration)


async def _set_status(info: Info, account_id: Id, revision: int, status: AccountStatus) -> Account:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    accounts = administration.store.accounts
    account = await accounts.set_status(account_id, revision, status, viewer.actor)
    await administration.refresh()
    return shown(account, administration)


async def _refresh(info: Info, account_id: Id) -> Account:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    held = await administration.store.accounts.get(account_id)
    renewed = await administration.accounts.renew_stored(held)
    await administration.store.accounts.note_refresh(renewed, viewer.actor)
    return shown(renewed, administration)


async def _remove(info: Info, account_id: Id, revision: int) -> bool:
    viewer, administration = admitted(info, Permission.CHANNELS_WRITE)
    await administration.store.accounts.remove(account_id, revision, viewer.actor)
    await administration.refresh()
    return True


async def _list(
    info: Info,
    channel_id: Annotated[strawberry.ID | None, strawberry.argument(name="channelID")] = None,
) -> list[Account]:
    return await accounts_of(info, channel_id)


@strawberry.type
class AccountQueries:
    accounts: list[Account] = strawberry.field(
        resolver=_list, description="The accounts of a channel, or of all, the oldest first."
    )
    codex_sign_in: CodexSignIn = strawberry.field(resolver=_sign_in)


@strawberry.type
class AccountMutations:
    start_codex_sign_in: CodexSignIn = strawberry.field(
        resolver=_start, description="For a channel of type codex; it ends after 15 minutes."
    )
    finish_codex_sign_in: CodexSignIn = strawberry.field(
        resolver=_finish,
        description="For a browser that runs elsewhere: the address that it was sent to.",
    )
    cancel_codex_sign_in: bool = strawberry.field(resolver=_cancel)
    import_codex_auth: Account = strawberry.field(
        resolver=_import, description="The content of auth.json: an account's tokens, or a key."
    )
    update_account_status: Account = strawberry.field(resolver=_set_status)
    refresh_account: Account = strawberry.field(
        resolver=_refresh, description="Fetches new tokens now."
    )
    remove_account: bool = strawberry.field(resolver=_remove)
