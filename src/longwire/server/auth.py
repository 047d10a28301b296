"""Who calls: a key becomes a principal, and with it the wall around its sessions.

Law: only HMACs of keys are kept. So the time of a look-up says nothing of how close a guess was.
Of several places that hold a key the first counts, and no other is looked at.
"""

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from longwire.core.errors import Unauthenticated
from longwire.core.nouns.access import ApiKey, IssuedKey, KeyDigest, is_accepted
from longwire.core.rules.session import KEY_HEADER, OTHER_KEY_HEADERS, SUBPROTOCOLS_HEADER
from longwire.core.rules.turn import Principal, Scope

ANONYMOUS = Principal("anonymous")
KEY_SUBPROTOCOL = "openai-insecure-api-key."
"""What a key begins with that a browser offers as a subprotocol: it can set no header."""

_NOBODYS = re.compile(r"(([\w-]+\.)*localhost|[\d.]+|\[[\da-f:.]+\])(:\d+)?", re.IGNORECASE)


class Keys:
    """The keys that are accepted: an index by digest, replaced whole when any of them changes.

    `digest` makes the digests; `clock` gives ms since 1970 UTC. Of callers without a key that come
    from a page, those of `origins` alone and of the gateway's own are let in: any other page that
    is open in a browser near it could use it unseen.
    """

    def __init__(
        self,
        digest: KeyDigest,
        *,
        admits_anonymous: bool = False,
        origins: Collection[str] = (),
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._digest = digest
        self._admits_anonymous = admits_anonymous
        self._origins = origins
        self._clock = clock
        self._known: dict[bytes, tuple[Principal, ApiKey]] = {}
        self._by_scope: dict[str | None, ApiKey] = {}

    def use(self, digest: KeyDigest) -> None:
        """Take another digest, before keys that were made with it are handed out."""
        self._digest, self._known = digest, {}

    def hand_out(self, declared: Iterable[IssuedKey], stored: Iterable[ApiKey] = ()) -> None:
        """Accept these keys, and no others any more."""
        known: dict[bytes, tuple[Principal, ApiKey]] = {}
        for key in stored:
            owner = (principal_of(key), key)
            known[key.digest] = owner
            if key.previous_digest is not None:
                known[key.previous_digest] = owner
        for issued in declared:
            digest = self._digest(issued.secret.reveal())
            known[digest] = (principal_of(issued.key), issued.key)
        self._known = known
        self._by_scope = {principal.scope: key for principal, key in known.values()}

    def of_scope(self, scope: str) -> ApiKey | None:
        """Return the key whose scope it is, None for none that is accepted now."""
        return self._by_scope.get(scope)

    def authenticate(self, headers: Mapping[str, str], query_key: str = "") -> Principal:
        """Return whose key it is. Raises `Unauthenticated` for none, unless that is allowed.

        Where no header has one, that of the query counts, if its API takes one there.

        A wrong key is refused even where none is needed, as long as there are any keys. A client
        whose `authorization` is its own sign-in elsewhere sends the key as `x-longwire-key`.
        """
        if self._admits_anonymous and not self._known:
            return self._anonymous(headers)
        apart = headers.get(KEY_HEADER, "").strip()
        if apart:
            return self._owner(apart, KEY_HEADER)
        scheme, _, key = headers.get("authorization", "").strip().partition(" ")
        if key and scheme.lower() == "bearer":
            return self._owner(key.strip(), "authorization")
        place, key = key_elsewhere(headers)
        if key:
            return self._owner(key, place)
        if query_key:
            return self._owner(query_key, "key")
        is_no_key = scheme.lower() in ("", "bearer")
        if self._admits_anonymous and is_no_key:
            return self._anonymous(headers)
        fault = "No key was sent" if is_no_key else "The authorization has no scheme of keys"
        msg = f"{fault}; send the key as 'Authorization: Bearer <key>'."
        raise Unauthenticated(msg)

    def _anonymous(self, headers: Mapping[str, str]) -> Principal:
        origin = headers.get("origin")
        is_own = not origin or _is_own(origin, headers.get("host", ""))
        if not is_own and origin not in self._origins:
            msg = "A page of another origin needs a key, or its origin in server.cors_origins."
            raise Unauthenticated(msg)
        return ANONYMOUS

    def _owner(self, secret: str, place: str) -> Principal:
        digest, now = self._digest(secret), self._clock()
        found = self._known.get(digest)
        if found is None:
            mend = "check it" if place == KEY_HEADER else f"check it, or send it as '{KEY_HEADER}'"
            msg = f"Nobody was given this key, which was sent as '{place}'; {mend}."
            raise Unauthenticated(msg)
        principal, key = found
        if not is_accepted(key, now):
            msg = f"The key '{key.name}' is disabled or has expired; ask for another one."
            raise Unauthenticated(msg)
        if digest == key.previous_digest and now >= (key.previous_until or 0):
            msg = f"The key '{key.name}' was rotated; use the new one."
            raise Unauthenticated(msg)
        return principal


def _is_own(origin: str, host: str) -> bool:
    """Whether a page is the gateway's own for sure.

    By a name of its own anybody can lead a browser here: once their page is loaded, the name has
    the gateway's address (DNS rebinding). An address, or `localhost`, is nobody's.
    """
    return origin.partition("://")[2] == host and _NOBODYS.fullmatch(host) is not None


def key_elsewhere(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return where else a key is, and the key: in the other usual headers, or in a subprotocol."""
    for name in OTHER_KEY_HEADERS:
        if key := headers.get(name, "").strip():
            return name, key
    for offered in headers.get(SUBPROTOCOLS_HEADER, "").split(","):
        if (word := offered.strip()).startswith(KEY_SUBPROTOCOL):
            return SUBPROTOCOLS_HEADER, word.removeprefix(KEY_SUBPROTOCOL)
    return "", ""


def chosen_subprotocol(headers: Mapping[str, str]) -> str | None:
    """Return the subprotocol to agree on, of those that a client offers; never one with a key."""
    words = [word.strip() for word in headers.get(SUBPROTOCOLS_HEADER, "").split(",")]
    open_words = [word for word in words if word and not word.startswith(KEY_SUBPROTOCOL)]
    return "realtime" if "realtime" in open_words else next(iter(open_words), None)


def principal_of(key: ApiKey) -> Principal:
    """Return whom a key stands for."""
    return Principal(key.name, Scope(f"api_key:{key.id}"), key.grant)
