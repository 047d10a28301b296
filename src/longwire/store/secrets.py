"""Keys are kept as HMAC digests, credentials as AES-256-GCM; the master key stays outside.

Law: a stolen database without its key file reveals no key and no credential. What was encrypted
for one place cannot be decrypted at another.
"""

import base64
import binascii
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from longwire.core.errors import ConfigurationError
from longwire.core.nouns.secret import Secret

HIDDEN: Final = "***"
"""What the audit log tells of a secret."""

_KEY_SIZE, _ID_SIZE, _NONCE_SIZE = 32, 4, 12
_KEY_START = "lw_"
_SHOWN = 10


@dataclass(slots=True, repr=False)
class Vault:
    """Seals with the first master key, opens with any of them.

    What none of them opens may have been sealed by a rotation meanwhile: then the key `file`, where
    there is one, is read again.
    """

    keys: tuple[bytes, ...]
    file: Path | None = None

    def __repr__(self) -> str:
        """Tell nothing of the keys."""
        return f"<Vault keys={len(self.keys)}>"

    def seal(self, text: bytes, place: str) -> bytes:
        """Encrypt for one `place`, such as `channels.credential:ch_1`: key id, nonce, text, tag."""
        key, nonce = self.keys[0], os.urandom(_NONCE_SIZE)
        return _id_of(key) + nonce + AESGCM(key).encrypt(nonce, text, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt. Raises `ConfigurationError` where no master key opens it."""
        if _key_for(sealed, self.keys) is None and self.file is not None:
            with suppress(OSError, ValueError, ConfigurationError):
                text = self.file.read_text(encoding="utf-8")
                self.keys = decode_master_keys(text, str(self.file))
        key, rest = _key_for(sealed, self.keys), sealed[_ID_SIZE:]
        if key is not None:
            with suppress(InvalidTag):
                nonce, sealed_text = rest[:_NONCE_SIZE], rest[_NONCE_SIZE:]
                return AESGCM(key).decrypt(nonce, sealed_text, place.encode())
        raise ConfigurationError(
            f"{place.partition(':')[0]} in the database cannot be opened with this secret key; "
            "bring back the key that it was written with (file secret.key, or "
            "database.secret_key)"
        )

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed with the first master key."""
        return sealed[:_ID_SIZE] == _id_of(self.keys[0])


def _key_for(sealed: bytes, keys: Iterable[bytes]) -> bytes | None:
    return next((key for key in keys if _id_of(key) == sealed[:_ID_SIZE]), None)


def _id_of(key: bytes) -> bytes:
    return sha256(b"longwire master key " + key).digest()[:_ID_SIZE]


def new_master_key() -> bytes:
    """Return 32 random bytes."""
    return token_bytes(_KEY_SIZE)


def encode_master_keys(keys: Sequence[bytes]) -> str:
    """Write master keys as text, one a line, the one that seals first."""
    return "".join(f"{base64.urlsafe_b64encode(key).decode()}\n" for key in keys)


def decode_master_keys(text: str, place: str) -> tuple[bytes, ...]:
    """Read master keys: base64 of 32 bytes each, apart by commas or whitespace.

    Raises `ConfigurationError`, which names the `place` they came from.
    """
    try:
        keys = tuple(_decoded(word) for word in text.replace(",", " ").split())
    except (binascii.Error, ValueError):
        keys = ()
    if not keys or any(len(key) != _KEY_SIZE for key in keys):
        raise ConfigurationError(
            f"{place}: no secret key; write the base64 of 32 random bytes "
            "(openssl rand -base64 32), a new one before old ones"
        )
    return keys


def _decoded(word: str) -> bytes:
    return base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)


def read_master_keys(configured: Secret, path: Path) -> tuple[bytes, ...]:
    """Return the master keys that are `configured`, else those of the file at `path`.

    A missing file is made, readable by its owner alone.
    """
    if configured:
        return decode_master_keys(configured.reveal(), "database.secret_key")
    try:
        return decode_master_keys(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        keys = (new_master_key(),)
        write_master_keys(keys, path)
        return decode_master_keys(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read ({error}); check its owner") from error


def write_master_keys(keys: Sequence[bytes], path: Path, *, replace: bool = False) -> None:
    """Write the key file whole or not at all; one that exists wins unless it is to be replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{token_urlsafe(6)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(encode_master_keys(keys))
            file.flush()
            os.fsync(file.fileno())
        if replace:
            beside.replace(path)
        else:
            path.hardlink_to(beside)
    except FileExistsError:
        return
    finally:
        beside.unlink(missing_ok=True)


def new_api_key() -> Secret:
    """Return a new API key: `lw_` and 32 random bytes in base64."""
    return Secret(_KEY_START + token_urlsafe(_KEY_SIZE))


def prefix_of(key: str) -> str:
    """Return the beginning of an API key that may be shown."""
    return key[:_SHOWN]


def new_token() -> Secret:
    """Return a token for a cookie, an invitation or the first start."""
    return Secret(token_urlsafe(_KEY_SIZE))


def token_digest(token: str) -> bytes:
    """Return the SHA-256 of a random token; 32 random bytes need no pepper."""
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


def new_id(prefix: str) -> str:
    """Return a new id such as `ch_3f…`: the prefix and 10 random bytes."""
    return f"{prefix}_{token_bytes(10).hex()}"
