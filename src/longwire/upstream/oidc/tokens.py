"""Signatures of ID tokens, by joserfc; it is loaded when somebody signs in.

Law: only asymmetric algorithms are allowed: neither `none`, nor HMAC, whose key would be public.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

ALGORITHMS: Final = tuple(
    f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in ("256", "384", "512")
)
_KEY_TYPES: Final = frozenset({"RSA", "EC"})
_LONGEST: Final = 64 * 1024


class BadToken(Exception):
    """A token is no token, or nobody of the key set has signed it; the text says which."""


class UnknownKey(BadToken):
    """It names a key that the set does not have: the provider may have a new one."""


def signed_claims(token: str, key_set: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the claims of a token that a key of the set has signed, and by which algorithm.

    Raises `BadToken`.
    """
    from joserfc import jwt  # noqa: PLC0415 - for a sign-in alone
    from joserfc.errors import InvalidKeyIdError, JoseError  # noqa: PLC0415 - likewise

    if len(token) > _LONGEST:
        raise BadToken("it is too large")
    try:
        decoded = jwt.decode(token, _keys(key_set), algorithms=ALGORITHMS)
    except InvalidKeyIdError:
        raise UnknownKey("its key is not among those of the provider") from None
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadToken(getattr(error, "error", "") or type(error).__name__) from None
    return decoded.claims, str(decoded.header["alg"])


def _keys(key_set: Mapping[str, Any]) -> Any:  # noqa: ANN401 - joserfc's type is loaded late
    """Return the public keys that sign, of a set that may have others."""
    from joserfc.errors import JoseError  # noqa: PLC0415 - for a sign-in alone
    from joserfc.jwk import JWKRegistry, KeySet  # noqa: PLC0415 - likewise

    listed = key_set.get("keys")
    keys = []
    for each in listed if isinstance(listed, list) else []:
        signs = isinstance(each, dict) and each.get("use", "sig") == "sig"
        if not signs or each.get("kty") not in _KEY_TYPES:
            continue
        try:
            keys.append(JWKRegistry.import_key(each))
        except (JoseError, ValueError, TypeError):
            continue
    if not keys:
        raise BadToken("the provider publishes no key that signs")
    return KeySet(keys)


def hashes_to(value: str, hashed: object, algorithm: str) -> bool:
    """Whether `at_hash` is that of an access token (OpenID Connect Core 1.0, 3.1.3.6)."""
    digest = hashlib.new(f"sha{algorithm[-3:]}", value.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    return isinstance(hashed, str) and hmac.compare_digest(half, hashed.encode())
