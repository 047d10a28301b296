"""Who calls: a bearer key becomes a principal, and with it the wall around its sessions."""

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256

from longwire.core.errors import Unauthenticated
from longwire.core.turn import Principal, Scope

ANONYMOUS = Principal("anonymous")


class Keys:
    """The keys that were handed out, as pairs of name and secret; only digests are kept."""

    __slots__ = ("_admits_anonymous", "_known")

    def __init__(self, keys: Iterable[tuple[str, str]], *, admits_anonymous: bool = False) -> None:
        self._known = [(name, _digest(secret)) for name, secret in keys]
        self._admits_anonymous = admits_anonymous

    def authenticate(self, headers: Mapping[str, str]) -> Principal:
        """Return whose key it is. Raises `Unauthenticated` for none, unless that is allowed.

        A wrong key is refused even where none is asked for.
        """
        given = headers.get("authorization", "").strip()
        scheme, _, key = given.partition(" ")
        if not given:
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

    def _owner(self, key: str) -> Principal:
        """Compare with every key, each in constant time, so that time tells nothing."""
        digest = _digest(key)
        owners = [name for name, known in self._known if hmac.compare_digest(known, digest)]
        if not owners:
            msg = "Nobody was given this key; check it for a typing error."
            raise Unauthenticated(msg)
        return Principal(owners[0], Scope(f"api_key:file:{owners[0]}"))


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()
