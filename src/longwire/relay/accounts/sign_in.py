"""One sign-in of an account: by a browser that comes back, or by a device code."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from longwire.core.nouns.access import Actor
from longwire.core.nouns.account import Account
from longwire.upstream.oauth.issuer import Device, Issuer, Proof

_BROWSER_POLL: Final = 2


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

    `error` says why it failed, `account` what came of it. `poll_seconds` is how often to look. What
    came back is tried once it `is_claimed`.
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
    is_claimed: bool = False
    stage: Stage = Stage.PENDING
    error: str = ""
    account: Account | None = None

    def direct(self) -> None:
        """Say where to go, what to type there, and how often to look."""
        if self.proof is not None:
            self.url = self.issuer.authorize_url(self.proof)
        if self.device is not None:
            self.url, self.user_code = self.issuer.device_url, self.device.user_code
            self.poll_seconds = max(round(self.device.pause), 1)

    def end(self, stage: Stage, error: str = "") -> bool:
        """End it; False where it was over."""
        if self.stage is not Stage.PENDING:
            return False
        self.stage, self.error = stage, error
        return True
