"""Sign-ins of accounts that are under way: by a browser that comes back, or by a device code.

Law: their number is bounded, each expires, and each gives its account once. A browser on another
machine cannot come back here, so the address it was sent to can be pasted instead.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from longwire.core.errors import (
    AccountUnavailable,
    FieldProblem,
    InvalidFields,
    LimitReached,
    LongwireError,
    NotFound,
    StoreUnavailable,
)
from longwire.core.nouns.access import Actor
from longwire.core.nouns.account import Login
from longwire.core.nouns.pending_sign_in import PendingSignIn
from longwire.logger import structlog
from longwire.relay.accounts.issuers import Issuers
from longwire.relay.accounts.kept_sign_ins import (
    PENDING,
    UNDER_WAY,
    KeptSignIns,
    device_of,
    proof_of,
)
from longwire.relay.accounts.sign_in import Method, SignIn, Stage
from longwire.upstream.oauth.issuer import Device, Issuer, new_proof

if TYPE_CHECKING:
    from longwire.store.accounts import Accounts

_log = structlog.get_logger()
_LASTS_MS: Final = 15 * 60_000
_MOST: Final = 16
_REMEMBERED: Final = 64
_PATIENCE: Final = 30.0
"""How many seconds a sign-in waits for an issuer that is busy."""

_LATE: Final = "Nobody finished it in time."
_NOT_STORED: Final = "The account cannot be stored now; try again."
_SLOWER: Final = 5.0
"""By how many seconds polls slow down when an issuer wants it (RFC 8628, 3.5)."""


Answer = Callable[[dict[str, str]], Awaitable[tuple[int, str]]]
"""What a browser is answered that brings this query: an HTTP status and a sentence."""

Callback = Callable[[int, Answer], Awaitable[Callable[[], Awaitable[None]]]]
"""Waits for browsers on a port and returns what ends that. Raises `OSError` for a port in use."""


class SignIns:
    """The sign-ins of this process, or of all that `share` them.

    `joined` is called when an account was added. `clock` tells ms since 1970 UTC; `callback` waits
    for browsers on the redirect port. Polls slow down by `slower` seconds.
    """

    def __init__(
        self,
        accounts: "Accounts",
        issuers: Issuers,
        clock: Callable[[], int],
        joined: Callable[[], Awaitable[None]],
        callback: Callback,
        slower: float = _SLOWER,
    ) -> None:
        self._accounts = accounts
        self._callback = callback
        self._issuers = issuers
        self._slower = slower
        self._ends = asyncio.Event()
        self._clock = clock
        self._joined = joined
        self._held: dict[str, SignIn] = {}
        self._kept: KeptSignIns | None = None
        self._group: asyncio.TaskGroup | None = None
        self._stop: Callable[[], Awaitable[None]] | None = None

    def share(self, kept: KeptSignIns) -> None:
        """Have sign-ins kept where other nodes go on with them, from now on."""
        self._kept = kept

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let sign-ins go on until left; those that are under way then end here."""
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self._wait())
            try:
                yield
            finally:
                for each in self._held.values():
                    each.end(Stage.EXPIRED)
                self._ends.set()

    async def _wait(self) -> None:
        await self._ends.wait()
        await self._stop_listening()

    async def begin(
        self, channel_id: str, method: Method, actor: Actor, *, listens: bool = True
    ) -> SignIn:
        """Begin a sign-in. Raises `LimitReached` for too many, `AccountUnavailable`."""
        self._forget()
        if await self._count() >= _MOST:
            msg = "Too many sign-ins are under way; finish or cancel one."
            raise LimitReached(msg, code="rate_limit_exceeded", retry_after=60)
        issuer = await self._issuers.of(channel_id)
        proof = new_proof() if method is Method.BROWSER else None
        device = await _device(issuer) if method is Method.DEVICE else None
        sign_in = SignIn(
            token_hex(12),
            channel_id,
            actor,
            method,
            issuer,
            "",
            self._clock() + _LASTS_MS,
            proof,
            device,
        )
        sign_in.direct()
        if proof is not None and listens:
            await self._listen()
        if self._kept is not None:
            await self._kept.add(sign_in)
        return self._hold(sign_in)

    async def _count(self) -> int:
        """Return how many are under way."""
        if self._kept is not None:
            return await self._kept.count(self._clock())
        return sum(each.stage is Stage.PENDING for each in self._held.values())

    def _hold(self, sign_in: SignIn) -> SignIn:
        """Go on with one here, and return it; or the one that is held by this id."""
        held = self._held.setdefault(sign_in.id, sign_in)
        if held is sign_in and sign_in.device is not None and self._group is not None:
            self._group.create_task(self._poll(sign_in, sign_in.device))
        return held

    async def find(self, sign_in_id: str) -> SignIn:
        """Return a sign-in, wherever it was begun. Raises `NotFound`."""
        self._expire()
        row = await self._kept.find(sign_in_id) if self._kept is not None else None
        sign_in = self._held.get(sign_in_id) or (await self._restored(row) if row else None)
        if sign_in is None:
            raise NotFound("sign-in", sign_in_id)
        if row is not None:
            await self._follow(sign_in, row)
        return sign_in

    async def _restored(self, row: PendingSignIn) -> SignIn:
        """Return what another node began, or this one in another life; poll if nobody does."""
        sign_in = SignIn(
            row.id,
            row.channel_id,
            row.actor,
            Method(row.method),
            await self._issuers.of(row.channel_id),
            "",
            row.expires_at,
        )
        if sign_in.method is Method.BROWSER:
            sign_in.proof = proof_of(row)
        else:
            sign_in.device = device_of(row)
        sign_in.direct()
        is_free = sign_in.device is not None and self._clock() < row.expires_at
        if is_free and self._kept is not None and await self._kept.take_over(row):
            return self._hold(sign_in)
        return sign_in

    async def _follow(self, sign_in: SignIn, row: PendingSignIn) -> None:
        """Take over what became of a sign-in at another node: how it ended there is the truth.

        How it ended here is kept, where the database was away then.
        """
        if row.stage not in UNDER_WAY:
            sign_in.stage, sign_in.error = Stage(row.stage), row.error
        elif self._kept is not None and sign_in.is_claimed and sign_in.stage is not Stage.PENDING:
            await self._kept.finish(sign_in, is_claimed=row.stage != PENDING)
        elif self._clock() >= sign_in.expires_at:
            sign_in.end(Stage.EXPIRED, _LATE)
        if row.account_id and sign_in.account is None:
            with suppress(NotFound):
                sign_in.account = await self._accounts.get(row.account_id)

    async def finish(self, sign_in_id: str, callback_url: str) -> SignIn:
        """End a sign-in by the address that its browser was sent to.

        Raises `NotFound`, and `InvalidFields` for an address of something else.
        """
        sign_in = await self.find(sign_in_id)
        query = parse_qs(urlsplit(callback_url.strip()).query)
        answer = {name: values[0] for name, values in query.items()}
        if sign_in.stage is not Stage.PENDING or sign_in.proof is None or sign_in.is_claimed:
            raise _wrong("belongs to a sign-in that is over; begin a new one")
        if answer.get("state") != sign_in.proof.state:
            raise _wrong("belongs to another sign-in; paste the address this one ended at")
        await self._come_back(sign_in, answer)
        return sign_in

    async def cancel(self, sign_in_id: str) -> bool:
        """Give a sign-in up; False where it was over."""
        sign_in = await self.find(sign_in_id)
        return await self._finish(sign_in, Stage.EXPIRED, "It was cancelled.")

    async def _come_back(self, sign_in: SignIn, query: dict[str, str]) -> None:
        if sign_in.proof is None or not await self._claim(sign_in):
            return
        if "code" not in query:
            reason = query.get("error_description") or query.get("error") or "no code came back"
            await self._finish(sign_in, Stage.FAILED, f"The issuer refused: {reason[:200]}.")
            return
        try:
            login = await sign_in.issuer.exchange(query["code"], sign_in.proof.verifier)
        except AccountUnavailable as error:
            await self._finish(sign_in, Stage.FAILED, str(error))
        else:
            await self._join(sign_in, login)

    async def _poll(self, sign_in: SignIn, device: Device) -> None:
        pause = wait = device.pause
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._ends.wait()
            with suppress(StoreUnavailable, NotFound):
                await self.find(sign_in.id)  # it may be over at another node
            if sign_in.stage is not Stage.PENDING:
                return
            try:
                login = await sign_in.issuer.poll_device(device)
            except AccountUnavailable as error:
                if error.needs_sign_in:
                    await self._finish(sign_in, Stage.FAILED, str(error))
                pause += self._slower
                wait = max(pause, error.retry_after or 0.0)
                continue
            wait = pause
            if login is not None and await self._claim(sign_in):
                await self._join(sign_in, login)

    async def _claim(self, sign_in: SignIn) -> bool:
        """Whether this one may try what came back: nobody has, and nobody will after it."""
        if sign_in.stage is not Stage.PENDING or sign_in.is_claimed:
            return False
        sign_in.is_claimed = True
        try:
            sign_in.is_claimed = self._kept is None or await self._kept.claim(sign_in)
        except StoreUnavailable as error:
            await self._not_stored(sign_in, error)
            return False
        return sign_in.is_claimed

    async def _join(self, sign_in: SignIn, login: Login) -> None:
        """Add the account, unless the sign-in was given up meanwhile."""
        if sign_in.stage is not Stage.PENDING:
            return
        try:
            account = await self._accounts.sign_in(sign_in.channel_id, login, sign_in.actor)
            sign_in.account = account
            await self._finish(sign_in, Stage.DONE)
            await self._joined()
        except StoreUnavailable as error:
            await self._not_stored(sign_in, error)
        except LongwireError as error:
            await self._finish(sign_in, Stage.FAILED, str(error))

    async def _not_stored(self, sign_in: SignIn, error: StoreUnavailable) -> None:
        _log.error("account_not_stored", error=error.reason)
        await self._finish(sign_in, Stage.FAILED, _NOT_STORED)

    async def _finish(self, sign_in: SignIn, stage: Stage, error: str = "") -> bool:
        """End a sign-in for all; False where it was over, or another node was first.

        Then it goes on as it does there.
        """
        if not sign_in.end(stage, error):
            return False
        kept = self._kept
        if kept is None or await kept.finish(sign_in, is_claimed=sign_in.is_claimed):
            return True
        if not sign_in.is_claimed:
            sign_in.stage, sign_in.error = Stage.PENDING, ""
            with suppress(StoreUnavailable):
                if row := await kept.find(sign_in.id):
                    await self._follow(sign_in, row)
        return False

    def _expire(self) -> None:
        for each in self._held.values():
            if self._clock() >= each.expires_at:
                each.end(Stage.EXPIRED, _LATE)

    def _forget(self) -> None:
        self._expire()
        over = [each.id for each in self._held.values() if each.stage is not Stage.PENDING]
        for sign_in_id in over[: max(len(self._held) - _REMEMBERED, 0)]:
            del self._held[sign_in_id]

    async def _listen(self) -> None:
        """Wait for browsers; where the port is taken, addresses are pasted."""
        if self._stop is not None:
            return
        port = self._issuers.registration.redirect_port
        try:
            self._stop = await self._callback(port, self._answer)
        except OSError as error:
            _log.warning("callback_port_taken", port=port, error=str(error))

    @property
    def is_listening(self) -> bool:
        """Whether a browser on this machine can come back by itself."""
        return self._stop is not None

    async def _stop_listening(self) -> None:
        stop, self._stop = self._stop, None
        if stop is not None:
            await stop()

    async def _answer(self, query: dict[str, str]) -> tuple[int, str]:
        """Take a browser back; return what it is shown."""
        for each in self._held.values():
            if each.proof is not None and each.proof.state == query.get("state"):
                await self._come_back(each, query)
                if each.account is not None:
                    return 200, f"{each.account.label} is signed in. You may close this page."
                return 400, f"The sign-in failed. {each.error}"
        return 400, "No sign-in waits for this address. Begin a new one."


async def _device(issuer: Issuer) -> Device:
    """Return a new device code; an issuer that is busy is asked again, within some patience.

    Raises `AccountUnavailable`.
    """
    pause, waited = 1.0, 0.0
    while True:
        try:
            return await issuer.begin_device()
        except AccountUnavailable as error:
            if error.retry_after is None:
                raise
            pause = max(pause, error.retry_after)
            waited += pause
            if waited > _PATIENCE:
                raise
        await asyncio.sleep(pause)
        pause *= 2


def _wrong(problem: str) -> InvalidFields:
    return InvalidFields([FieldProblem("callbackURL", problem)])
