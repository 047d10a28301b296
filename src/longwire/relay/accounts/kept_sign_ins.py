"""Sign-ins under way as rows, so that one begun at a node can be finished at another.

Law: what comes back from an issuer is tried by the one node that claimed the sign-in, once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from longwire.core.errors import StoreUnavailable
from longwire.core.nouns.pending_sign_in import PendingSignIn
from longwire.core.nouns.secret import Secret
from longwire.logger import structlog
from longwire.relay.accounts.sign_in import SignIn
from longwire.upstream.oauth.issuer import Device, Proof

if TYPE_CHECKING:
    from longwire.store.pending_sign_ins import PendingSignIns

_log = structlog.get_logger()
PENDING: Final = "pending"
_CLAIMED: Final = "claimed"
UNDER_WAY: Final = frozenset({PENDING, _CLAIMED})
_REMEMBERED_MS: Final = 60 * 60_000


class _Browser(msgspec.Struct):
    state: str
    verifier: str


class KeptSignIns:
    """The rows of all nodes. `node` is the name of this one; `has_gone` tells of another."""

    def __init__(
        self, rows: "PendingSignIns", node: str, has_gone: Callable[[str], Awaitable[bool]]
    ) -> None:
        self._rows = rows
        self._node = node
        self._has_gone = has_gone

    async def add(self, sign_in: SignIn) -> None:
        """Keep one that begins here."""
        await self._rows.add(self._row(sign_in))

    async def find(self, sign_in_id: str) -> PendingSignIn | None:
        """Return a row, None where there is none."""
        return await self._rows.find(sign_in_id)

    async def count(self, now: int) -> int:
        """Return how many are under way at all nodes, and forget those that ended long ago."""
        await self._rows.sweep(now - _REMEMBERED_MS)
        return await self._rows.count(UNDER_WAY, now)

    async def claim(self, sign_in: SignIn) -> bool:
        """Whether this node alone may try what came back; nothing proves it to others then.

        Raises `StoreUnavailable`.
        """
        row = replace(self._row(sign_in), stage=_CLAIMED, proof=Secret(""))
        return await self._rows.update(row, was=PENDING)

    async def finish(self, sign_in: SignIn, *, is_claimed: bool) -> bool:
        """Keep how one ended; False where another node was first, or nothing can be kept now."""
        row = replace(self._row(sign_in), proof=Secret(""))
        was, at = (_CLAIMED, self._node) if is_claimed else (PENDING, None)
        try:
            return await self._rows.update(row, was=was, at=at)
        except StoreUnavailable as error:
            _log.error("sign_in_not_stored", error=error.reason)
            return False

    async def take_over(self, row: PendingSignIn) -> bool:
        """Whether this node polls from now on, since the one that did is gone."""
        is_free = row.node == self._node or await self._has_gone(row.node)
        own = replace(row, node=self._node)
        return is_free and await self._rows.update(own, was=PENDING, at=row.node)

    def _row(self, sign_in: SignIn) -> PendingSignIn:
        return PendingSignIn(
            sign_in.id,
            sign_in.channel_id,
            self._node,
            sign_in.actor,
            sign_in.method.value,
            _sealed(sign_in),
            sign_in.expires_at,
            sign_in.stage.value,
            sign_in.error,
            sign_in.account.id if sign_in.account else "",
        )


def _sealed(sign_in: SignIn) -> Secret:
    """Return what proves a sign-in, as JSON."""
    if sign_in.device is not None:
        return Secret(msgspec.json.encode(sign_in.device).decode())
    if sign_in.proof is None:
        return Secret("")
    browser = _Browser(sign_in.proof.state, sign_in.proof.verifier.reveal())
    return Secret(msgspec.json.encode(browser).decode())


def proof_of(row: PendingSignIn) -> Proof | None:
    """Return what proves a sign-in by a browser, None once it was tried."""
    if not row.proof.reveal():
        return None
    browser = msgspec.json.decode(row.proof.reveal(), type=_Browser)
    return Proof(browser.state, Secret(browser.verifier))


def device_of(row: PendingSignIn) -> Device | None:
    """Return the device code of a sign-in, None once it was used."""
    return msgspec.json.decode(row.proof.reveal(), type=Device) if row.proof.reveal() else None
