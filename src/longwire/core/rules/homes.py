"""What the homes of sessions, and of what upstreams hold, are looked up by.

Law: a key digests the wall of who calls with the id, so that no caller meets another one's home.
"""

from typing import Final, NamedTuple

from blake3 import blake3

from longwire.core.rules.turn import Scope

_DAY: Final = 86_400
SESSION_LASTS: Final = 7 * _DAY
HELD_LASTS: Final = 30 * _DAY
"""As long as OpenAI keeps a response."""


class HomeKey(NamedTuple):
    """What one home is looked up by: 128 bits, and how many seconds it is kept."""

    digest: bytes
    lasts: int

    @property
    def is_of_session(self) -> bool:
        """Whether it is that of a session, not of what an upstream holds."""
        return self.lasts == SESSION_LASTS


def session_home_key(scope: Scope | None, session: str) -> HomeKey:
    """Return the key of a session: its id, or what stands for one."""
    return HomeKey(_digest("session", scope, session), SESSION_LASTS)


def held_key(scope: Scope | None, identity: str) -> HomeKey:
    """Return the key of what one upstream holds: a response, a conversation, an item, a file."""
    return HomeKey(_digest("held", scope, identity), HELD_LASTS)


def owned_key(identity: str) -> HomeKey:
    """Return the key by which a response is known as somebody's, whoever that is."""
    return HomeKey(_digest("owned", None, identity), HELD_LASTS)


def _digest(kind: str, scope: Scope | None, identity: str) -> bytes:
    wall = scope or ""
    text = f"{kind}:{len(wall)}:{wall}{identity}"
    return blake3(text.encode("utf-8", "surrogatepass")).digest(length=16)
