"""The account of a subscription that a channel speaks for, and when its tokens are renewed.

Law: a token is renewed before it expires, and used until it does. Times are arguments, in ms
since 1970 UTC; None is a time that nobody knows.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from longwire.core.nouns.quota import Quota
from longwire.core.nouns.secret import Secret

SOON_MS = 5 * 60_000
STALE_MS = 8 * 24 * 3_600_000


class AccountStatus(StrEnum):
    """Whether an account takes turns; one that must be signed in again takes none."""

    ACTIVE = "active"
    DISABLED = "disabled"
    SIGN_IN_NEEDED = "sign_in_needed"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an issuer gives: without a `refresh` token it is a plain key, which nothing renews."""

    access: Secret
    refresh: Secret = Secret("")
    identity: Secret = Secret("")
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose tokens they are, by their claims; `account_id` is sent upstream, "" for none."""

    email: str = ""
    account_id: str = ""
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """What a sign-in or an import gives; `refreshed_at` is when the tokens were issued."""

    tokens: Tokens
    owner: Owner = field(default_factory=Owner)
    refreshed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a channel; `problem` says in a sentence why it must be signed in again.

    `tokens_revision` grows with every new set of tokens, `revision` with what people change.
    """

    id: str
    channel_id: str
    tokens: Tokens
    owner: Owner = field(default_factory=Owner)
    status: AccountStatus = AccountStatus.ACTIVE
    problem: str = ""
    quota: Quota = field(default_factory=Quota)
    refreshed_at: int | None = None
    created_at: int = 0
    tokens_revision: int = 1
    revision: int = 1

    @property
    def label(self) -> str:
        """What people call it."""
        return self.owner.email or self.owner.account_id or self.id

    @property
    def is_active(self) -> bool:
        """Whether it takes turns."""
        return self.status is AccountStatus.ACTIVE


def is_due(account: Account, now: int) -> bool:
    """Whether its tokens should be renewed: the token dies soon, or is older than eight days."""
    tokens = account.tokens
    if not tokens.refresh:
        return False
    if tokens.expires_at is not None and now >= tokens.expires_at - SOON_MS:
        return True
    return account.refreshed_at is not None and now >= account.refreshed_at + STALE_MS


def lives(account: Account, now: int) -> bool:
    """Whether its access token can still be used."""
    return account.tokens.expires_at is None or now < account.tokens.expires_at
