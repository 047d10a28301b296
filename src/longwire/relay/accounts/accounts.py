"""Accounts as they run: one renewal at a time for each, in this process and among all of them.

Law: new tokens are stored before they are used, by a task that goes on when its caller leaves. A
token that still lives is used while the next one is fetched.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import msgspec

from longwire.core.errors import AccountUnavailable, ConfigurationError, NotFound, StoreUnavailable
from longwire.core.nouns.account import Account, Login, is_due, lives
from longwire.core.nouns.quota import Quota, QuotaTracker
from longwire.core.ports import Tidings
from longwire.fleet.local import LocalTidings
from longwire.logger import structlog
from longwire.relay.accounts.issuers import Issuers
from longwire.upstream.oauth.credentials import AuthHeaders
from longwire.upstream.oauth.issuer import TIMEOUT

if TYPE_CHECKING:
    from longwire.store.accounts import Accounts

_log = structlog.get_logger()
LEASE_MS: Final = int(TIMEOUT * 1000) + 5_000
"""How long one renewal may take; after a kill others wait no longer than this."""

_PAUSES: Final = (0.2, 1.0)
_LONGEST_PAUSE: Final = 3.0
_STORING_PAUSES: Final = (0.1, 0.5, 1.0, 3.0)
_LOOK_AGAIN: Final = 0.1
_TICK: Final = 15.0
_KEPT_EVERY_MS: Final = 30_000
_QUOTA: Final = "quota"
_QUOTA_LASTS: Final = 8 * 86_400
_UNREADABLE: Final = (StoreUnavailable, ConfigurationError)
Outcome = Account | AccountUnavailable


class LiveAccount:
    """One account as this process knows it; gives the passes its connections are opened with."""

    __slots__ = ("_accounts", "_refused", "account", "kept_at", "quota_tracker")

    def __init__(self, account: Account, accounts: "LiveAccounts") -> None:
        self.account = account
        self.quota_tracker = QuotaTracker(account.quota, self._tell_quota)
        self.kept_at = 0
        self._accounts = accounts
        self._refused = 0

    async def headers(self) -> AuthHeaders:
        """Return the pass that holds now. Raises `AccountUnavailable`."""
        _check_active(self.account)
        now = self._accounts.clock()
        if self._is_refused or not lives(self.account, now):
            await self._accounts.renew(self)
            _check_active(self.account)
        elif is_due(self.account, now):
            self._accounts.begin(self.account)
        tokens, owner = self.account.tokens, self.account.owner
        headers = {"authorization": f"Bearer {tokens.access.reveal()}"}
        if owner.account_id:
            headers["chatgpt-account-id"] = owner.account_id
        return AuthHeaders(headers, self.account.tokens_revision)

    def refuse(self, revision: int) -> None:
        """Note that the upstream does not take a set of tokens, 0 for those that hold now."""
        self._refused = revision or self.account.tokens_revision

    def take(self, account: Account) -> None:
        """Take over what the store holds, unless that is older than what is known here."""
        if account.tokens_revision >= self.account.tokens_revision:
            self.account = account
        self.quota_tracker.take_over(account.quota)

    def _tell_quota(self, quota: Quota) -> None:
        self._accounts.tell_quota(self.account.id, quota)

    @property
    def _is_refused(self) -> bool:
        return self._refused == self.account.tokens_revision


class LiveAccounts:
    """All accounts that run in this process. `clock` tells ms since 1970 UTC.

    What is seen of their quotas goes to other nodes, and comes from there, by `tidings`.
    """

    def __init__(
        self,
        accounts: "Accounts",
        issuers: Issuers,
        clock: Callable[[], int],
        tidings: Tidings | None = None,
    ) -> None:
        self.clock = clock
        self.issuers = issuers
        self._accounts = accounts
        self._live: dict[str, LiveAccount] = {}
        self._renewals: dict[str, asyncio.Task[Outcome]] = {}
        self._unstored: dict[str, tuple[Account, Login]] = {}
        self._later: dict[str, tuple[float, AccountUnavailable]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._tidings = tidings or LocalTidings()
        self._tidings.hear(_QUOTA, lambda _node, facts: self._take_quota(facts))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Renew what is due and keep quotas, until left; renewals under way are waited for."""
        async with asyncio.TaskGroup() as self._group:
            keeping = self._group.create_task(self._keep())
            try:
                yield
            finally:
                keeping.cancel()
        await self._keep_quotas(0)

    def take_over(self, accounts: Iterable[Account]) -> dict[str, LiveAccount]:
        """Let these accounts run and no others; return them by id. Who ran before stays itself."""
        held = self._live
        self._live = {}
        for account in accounts:
            live = held.get(account.id) or LiveAccount(account, self)
            live.take(account)
            self._live[account.id] = live
        return self._live

    def of(self, channel_id: str) -> "LiveAccount | None":
        """Return an account of a channel that takes turns, None where there is none."""
        own = (each for each in self._live.values() if each.account.channel_id == channel_id)
        return next((each for each in own if each.account.is_active), None)

    def find(self, account_id: str) -> LiveAccount | None:
        """Return an account that runs here."""
        return self._live.get(account_id)

    def tell_quota(self, account_id: str, quota: Quota) -> None:
        """Tell other nodes what is known of an account's quota."""
        facts = {"account": account_id, "quota": asdict(quota)}
        self._tidings.pin(_QUOTA, account_id, facts, _QUOTA_LASTS)

    async def recall_quotas(self) -> None:
        """Take over what other nodes have told before this one was there to hear."""
        await self._tidings.recall(_QUOTA, [*self._live])

    def _take_quota(self, facts: Mapping[str, Any]) -> None:
        live = self._live.get(str(facts.get("account")))
        if live is not None:
            live.quota_tracker.take_over(msgspec.convert(facts["quota"], Quota))

    async def renew(self, live: LiveAccount) -> None:
        """Give an account new tokens. Raises `AccountUnavailable`.

        Who asks while a renewal is under way waits for that one; going away does not end it.
        """
        outcome = await asyncio.shield(self.begin(live.account))
        if isinstance(outcome, AccountUnavailable):
            raise AccountUnavailable(
                str(outcome), needs_sign_in=outcome.needs_sign_in, retry_after=outcome.retry_after
            )
        live.take(outcome)

    async def renew_stored(self, account: Account) -> Account:
        """Give new tokens to an account of the store. Raises `AccountUnavailable`."""
        if account.problem:
            raise AccountUnavailable(account.problem, needs_sign_in=True)
        live = self._live.get(account.id) or LiveAccount(account, self)
        live.take(account)
        await self.renew(live)
        return live.account

    def begin(self, account: Account) -> asyncio.Task[Outcome]:
        """Return the renewal of an account that is under way, or begin one."""
        task = self._renewals.get(account.id)
        if task is None:
            if self._group is None:
                raise AssertionError("accounts are renewed while they run")
            task = self._group.create_task(self._renewal(account))
            self._renewals[account.id] = task
        return task

    async def _renewal(self, account: Account) -> Outcome:
        try:
            outcome = await self._outcome(account)
        except NotFound:
            outcome = AccountUnavailable("The account was removed.", needs_sign_in=True)
        except _UNREADABLE as error:
            kind = type(error).__name__
            outcome = AccountUnavailable(f"The account's tokens cannot be stored now ({kind}).")
        finally:
            del self._renewals[account.id]
        if (live := self._live.get(account.id)) is None:
            return outcome
        if isinstance(outcome, Account):
            live.take(outcome)
            _log.info("account_renewed", account=account.id)
        else:
            _log.warning("account_not_renewed", account=account.id, reason=str(outcome))
        return outcome

    async def _outcome(self, account: Account) -> Outcome:
        if account.id in self._unstored:
            return await self._store(*self._unstored[account.id])
        until, refusal = self._later.pop(account.id, (0.0, None))
        if refusal is not None and self.clock() < until:
            self._later[account.id] = until, refusal
            return refusal
        outcome = await self._attempt(account)
        for least in _PAUSES:
            if isinstance(outcome, Account) or outcome.needs_sign_in:
                break
            if account.id in self._unstored:
                break  # there are new tokens, and asking with the old ones would end the login
            pause = max(least, outcome.retry_after or 0.0)
            if pause > _LONGEST_PAUSE:
                self._later[account.id] = self.clock() + pause * 1000, outcome
                break
            await asyncio.sleep(pause)
            outcome = await self._attempt(account)
        return outcome

    async def _attempt(self, account: Account) -> Outcome:
        """Ask the issuer once, if nobody else does or did."""
        try:
            issuer = await self.issuers.of(account.channel_id)
        except AccountUnavailable as error:
            return error
        holder = token_hex(8)
        while not await self._accounts.claim(account, holder, LEASE_MS):
            held = await self._accounts.get(account.id)
            if held.tokens_revision != account.tokens_revision:
                return held
            await asyncio.sleep(_LOOK_AGAIN)
        if not account.tokens.refresh:
            return await self._end(account, "The upstream does not take this key any more.")
        try:
            login = await issuer.refresh(account)
        except AccountUnavailable as error:
            if error.needs_sign_in:
                return await self._end(account, str(error))
            await self._accounts.release(account, holder)
            return error
        return await self._store(account, login)

    async def _store(self, account: Account, login: Login) -> Outcome:
        """Keep new tokens, however long the database needs: there are no others any more."""
        self._unstored[account.id] = account, login
        for pause in _STORING_PAUSES:
            try:
                held = await self._accounts.renew(account, login)
            except _UNREADABLE as error:
                _log.error("tokens_not_stored", account=account.id, reason=str(error))
                await asyncio.sleep(pause)
            else:
                del self._unstored[account.id]
                return held
        return AccountUnavailable("The account's new tokens cannot be stored now.")

    async def _end(self, account: Account, problem: str) -> Outcome:
        held = await self._accounts.end(account, problem)
        if (live := self._live.get(account.id)) is not None:
            live.take(held)
        if held.tokens_revision != account.tokens_revision:
            return held
        return AccountUnavailable(problem, needs_sign_in=True)

    async def _keep(self) -> None:
        while True:
            for live in [*self._live.values()]:
                if live.account.is_active and is_due(live.account, self.clock()):
                    self.begin(live.account)
            await self._keep_quotas(_KEPT_EVERY_MS)
            await asyncio.sleep(_TICK)

    async def _keep_quotas(self, age: int) -> None:
        """Write down the quotas that changed and were last written so many ms ago."""
        now = self.clock()
        for account_id, live in [*self._live.items()]:
            quota_tracker = live.quota_tracker
            if not quota_tracker.is_unsaved or now < live.kept_at + age:
                continue
            quota_tracker.is_unsaved, live.kept_at = False, now
            try:
                await self._accounts.save_quota(account_id, quota_tracker.quota)
            except _UNREADABLE:
                quota_tracker.is_unsaved = True


def _check_active(account: Account) -> None:
    """Raise `AccountUnavailable` for an account that takes no turns."""
    if account.problem:
        problem = f"An account of the channel must sign in again: {account.problem}"
        raise AccountUnavailable(problem, needs_sign_in=True)
    if not account.is_active:
        raise AccountUnavailable("The account is disabled.")
