"""Who calls: a bearer key becomes a principal, and with it the wall around its sessions.

Law: only HMACs of keys are kept. So the time of a look-up says nothing of how close a guess was.
"""

import time
from collections.abc import Callable, Iterable, Mapping

from longwire.core.errors import Unauthenticated
from longwire.core.nouns.access import ApiKey, IssuedKey, KeyDigest, is_accepted
from longwire.core.rules.turn import Principal, Scope

ANONYMOUS = Principal("anonymous")
KEY_HEADER = "x-longwire-key"


class Keys:
    """The keys that are accepted: an index by digest, replaced whole when any of them changes.

    `digest` makes the digests; `clock` gives ms since 1970 UTC.
    """

    def __init__(
        self,
        digest: KeyDigest,
        *,
        admits_anonymous: bool = False,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._digest = digest
        self._admits_anonymous = admits_anonymous
        self._clock = clock
        self._known: dict[bytes, tuple[Principal, ApiKey]] = {}

    def use(self, digest: KeyDigest) -> None:
        """Take another digest, before keys that were made with it are handed out."""
        self._digest, self._known = digest, {}

    def hand_out(self, declared: Iterable[IssuedKey], stored: Iterable[ApiKey] = ()) -> None:
        """Accept these keys, and no others any more."""
        known: dict[bytes, tuple[Principal, ApiKey]] = {}
        for key in stored:
            owner = (_principal(key), key)
            known[key.digest] = owner
            if key.previous_digest is not None:
                known[key.previous_digest] = owner
        for issued in declared:
            digest = self._digest(issued.secret.reveal())
            known[digest] = (_principal(issued.key), issued.key)
        self._known = known

    def authenticate(self, headers: Mapping[str, str]) -> Principal:
        """Return whose key it is. Raises `Unauthenticated` for none, unless that is allowed.

        A wrong key is refused even where none is needed. A client whose `authorization` is
        its own sign-in elsewhere gives the key as `x-longwire-key`; then only that one is read.
        """
        apart = headers.get(KEY_HEADER, "").strip()
        if apart:
            return self._owner(apart)
        authorization = headers.get("authorization", "").strip()
        scheme, _, key = authorization.partition(" ")
        if not authorization:
            return self._anonymous()
        if scheme.lower() != "bearer" or not key.strip():
            msg = "Send the key as 'Authorization: Bearer <key>'."
            raise Unauthenticated(msg)
        return self._owner(key.strip())

    def _anonymous(self) -> Principal:
        if self._admits_anonymous:
            return ANONYMOUS
        msg = "No key was sent; send one as 'Authorization: Bearer <key>'."
        raise Unauthenticated(msg)

    def _owner(self, secret: str) -> Principal:
        digest, now = self._digest(secret), self._clock()
        found = self._known.get(digest)
        if found is None:
            msg = f"Nobody was given this key; check it, or send it as '{KEY_HEADER}'."
            raise Unauthenticated(msg)
        principal, key = found
        if not is_accepted(key, now):
            msg = f"The key '{key.name}' is disabled or has expired; ask for another one."
            raise Unauthenticated(msg)
        if digest == key.previous_digest and now >= (key.previous_until or 0):
            msg = f"The key '{key.name}' was rotated; use the new one."
            raise Unauthenticated(msg)
        return principal


def _principal(key: ApiKey) -> Principal:
    return Principal(key.name, Scope(f"api_key:{key.id}"), key.grant)
