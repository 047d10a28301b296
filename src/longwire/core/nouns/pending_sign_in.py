"""A sign-in of an account that is under way, as all nodes of a fleet see it."""

from dataclasses import dataclass

from longwire.core.nouns.access import Actor
from longwire.core.nouns.secret import Secret


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """What any node needs to go on with a sign-in; `expires_at` in ms since 1970 UTC.

    `proof` is JSON of what proves it to its issuer: a verifier, or a device code. `node` is the one
    that began it. `error` says why it failed, `account_id` what came of it; each is "" until then.
    """

    id: str
    channel_id: str
    node: str
    actor: Actor
    method: str
    proof: Secret
    expires_at: int
    stage: str
    error: str = ""
    account_id: str = ""
