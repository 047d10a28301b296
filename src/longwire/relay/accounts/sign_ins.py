"""Sign-ins of accounts that are under way: by a browser that comes back, or by a device code.

Law: their number is bounded, each expires, and each gives its account once. A browser on another
machine cannot come back here, so the address it was sent to can be pasted instead.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
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
from longwire.core.nouns.account import Account, Login
from longwire.logger import structlog
from longwire.relay.accounts.issuers import Issuers
from longwire.upstream.oauth.issuer import Device, Issuer, Proof, new_proof

if TYPE_CHECKING:
    from longwire.store.accounts import Accounts

_log = structlog.get_logger()
_LASTS_MS: Final = 15 * 60_000
_MOST: Final = 16
_REMEMBERED: Final = 64
_BROWSER_POLL: Final = 2
_PATIENCE: Final = 30.0
"""How many seconds a sign-in waits for an issuer that is busy."""

_SLOWER: Final = 5.0
"""By how many seconds polls slow down when an issuer wants it (RFC 8628, 3.5)."""


Answer = Callable[[dict[str, str]], Awaitable[tuple[int, str]]]
"""What a browser is answered that brings this query: an HTTP status and a sentence."""

Callback = Callable[[int, Answer], Awaitable[Callable[[], Awaitable[None]]]]
"""Waits for browsers on a port and returns what ends that. Raises `OSError` for a port in use."""


class Method(StrEnum):
    """How somebody signs in."""

    BROWSER = "browser"
    DEVICE = "device"


class Stage(StrEnum):
    """How far a sign-in is."""

    PENDING = "pending"
    DONE = "done"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(slots=True)
class SignIn:
    """One sign-in: `url` is where to go, `user_code` what to type there, `expires_at` in ms.

    `error` says why it failed, `account` what came of it. `poll_seconds` is how often to look.
    """

    id: str
    channel_id: str
    actor: Actor
    method: Method
    issuer: Issuer
    url: str
    expires_at: int
    proof: Proof | None = None
    device: Device | None = None
    user_code: str = ""
    poll_seconds: int = _BROWSER_POLL
    stage: Stage = Stage.PENDING
    error: str = ""
    account: Account | None = None


class SignIns:
    """The sign-ins of this process. `joined` is called when an account was added.

    `clock` tells ms since 1970 UTC; `callback` waits for browsers on the redirect port. Polls slow
    down by `slower` seconds.
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
        self._group: asyncio.TaskGroup | None = None
        self._stop: Callable[[], Awaitable[None]] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let sign-ins go on until left; those that are under way then end."""
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self._wait())
            try:
                yield
            finally:
                for each in self._held.values():
                    self._finish(each, Stage.EXPIRED)
                self._ends.set()

    async def _wait(self) -> None:
        await self._ends.wait()
        await self._stop_listening()

    async def begin(
        self, channel_id: str, method: Method, actor: Actor, *, listens: bool = True
    ) -> SignIn:
        """Begin a sign-in. Raises `LimitReached` for too many, `AccountUnavailable`."""
        self._forget()
        if sum(each.stage is Stage.PENDING for each in self._held.values()) >= _MOST:
            msg = "Too many sign-ins are under way; finish or cancel one."
            raise LimitReached(msg, code="rate_limit_exceeded", retry_after=60)
        issuer = await self._issuers.of(channel_id)
        fields = (token_hex(12), channel_id, actor, method, issuer)
        expires_at = self._clock() + _LASTS_MS
        if method is Method.BROWSER:
            proof = new_proof()
            sign_in = SignIn(*fields, issuer.authorize_url(proof), expires_at, proof)
            if listens:
                await self._listen()
        else:
            device = await _device(issuer)
            sign_in = SignIn(*fields, issuer.device_url, expires_at, device=device)
            sign_in.user_code, sign_in.poll_seconds = device.user_code, max(round(device.pause), 1)
        self._held[sign_in.id] = sign_in
        if method is Method.DEVICE and self._group is not None:
            self._group.create_task(self._poll(sign_in, device))
        return sign_in

    def find(self, sign_in_id: str) -> SignIn:
        """Return a sign-in. Raises `NotFound`."""
        self._expire()
        if sign_in_id not in self._held:
            raise NotFound("sign-in", sign_in_id)
        return self._held[sign_in_id]

    async def finish(self, sign_in_id: str, callback_url: str) -> SignIn:
        """End a sign-in by the address that its browser was sent to.

        Raises `NotFound`, and `InvalidFields` for an address of something else.
        """
        sign_in = self.find(sign_in_id)
        query = parse_qs(urlsplit(callback_url.strip()).query)
        answer = {name: values[0] for name, values in query.items()}
        if sign_in.stage is not Stage.PENDING or sign_in.proof is None:
            raise _wrong("belongs to a sign-in that is over; begin a new one")
        if answer.get("state") != sign_in.proof.state:
            raise _wrong("belongs to another sign-in; paste the address this one ended at")
        await self._come_back(sign_in, answer)
        return sign_in

    def cancel(self, sign_in_id: str) -> bool:
        """Give a sign-in up; False where it was over."""
        sign_in = self.find(sign_in_id)
        was_pending = sign_in.stage is Stage.PENDING
        self._finish(sign_in, Stage.EXPIRED, "It was cancelled.")
        return was_pending

    async def _come_back(self, sign_in: SignIn, query: dict[str, str]) -> None:
        if sign_in.proof is None or sign_in.stage is not Stage.PENDING:
            return
        if "code" not in query:
            reason = query.get("error_description") or query.get("error") or "no code came back"
            self._finish(sign_in, Stage.FAILED, f"The issuer refused: {reason[:200]}.")
            return
        verifier, sign_in.proof = sign_in.proof.verifier, None  # a code is tried once
        try:
            login = await sign_in.issuer.exchange(query["code"], verifier)
        except AccountUnavailable as error:
            self._finish(sign_in, Stage.FAILED, str(error))
        else:
            await self._join(sign_in, login)

    async def _poll(self, sign_in: SignIn, device: Device) -> None:
        pause = wait = device.pause
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._ends.wait()
            self._expire()
            if sign_in.stage is not Stage.PENDING:
                return
            try:
                login = await sign_in.issuer.poll_device(device)
            except AccountUnavailable as error:
                if error.needs_sign_in:
                    self._finish(sign_in, Stage.FAILED, str(error))
                pause += self._slower
                wait = max(pause, error.retry_after or 0.0)
                continue
            wait = pause
            if login is not None:
                await self._join(sign_in, login)

    async def _join(self, sign_in: SignIn, login: Login) -> None:
        """Add the account, unless the sign-in was given up meanwhile."""
        if sign_in.stage is not Stage.PENDING:
            return
        try:
            account = await self._accounts.sign_in(sign_in.channel_id, login, sign_in.actor)
            sign_in.account = account
            self._finish(sign_in, Stage.DONE)
            await self._joined()
        except StoreUnavailable as error:
            _log.error("account_not_stored", error=error.reason)
            self._finish(sign_in, Stage.FAILED, "The account cannot be stored now; try again.")
        except LongwireError as error:
            self._finish(sign_in, Stage.FAILED, str(error))

    def _finish(self, sign_in: SignIn, stage: Stage, error: str = "") -> None:
        if sign_in.stage is Stage.PENDING:
            sign_in.stage, sign_in.error = stage, error

    def _expire(self) -> None:
        for each in self._held.values():
            if self._clock() >= each.expires_at:
                self._finish(each, Stage.EXPIRED, "Nobody finished it in time.")

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
