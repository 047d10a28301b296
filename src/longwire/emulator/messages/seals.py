"""Thinking under seal: who wrote it, for which account, and that nobody changed a letter.

Law: a signature verifies for the very text it was made for and the account it was made for, and
for nothing else.
"""

import base64
import hashlib
import hmac

NONCE, SEAL = 12, 24
REDACTED = "\0redacted"
"""What stands in place of a text that is not shown at all."""


def sealed(account: str, text: str, seed: str) -> str:
    """A signature of a text; another seed gives another one."""
    nonce = hashlib.sha256(seed.encode()).digest()[:NONCE]
    return base64.b64encode(nonce + seal_of(account, nonce, text)).decode()


def is_sealed(account: str, text: str, signature: str) -> bool:
    """Whether a signature is of this text and of this account."""
    try:
        content = base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    expected = seal_of(account, content[:NONCE], text)
    return hmac.compare_digest(expected, content[NONCE:])


def seal_of(account: str, nonce: bytes, text: str) -> bytes:
    """The part of a signature that only the emulator can make."""
    return hmac.digest(account.encode(), b"thinking" + nonce + text.encode(), "sha256")[:SEAL]
