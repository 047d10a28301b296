"""The gateway of the soak: its configuration, its callers, and its own count of connections."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

KEYS, CAP = 6, 40
LIFETIME = 9.7
"""Seconds after which the upstream ends a connection: sooner or later than the gateway would."""
_COUNT = re.compile(r'longwire_connections\{channel="\w*",state="(\w+)"\} ([\d.]+)')
_CONFIG = """
[server]
port = 0

[database]
url = "sqlite:///{folder}/soak.db"
"""
_SESSIONS = """
[sessions]
idle_ttl = "4s"
max_lifetime = "10s"
max_connections = %d
max_connections_per_session = 4
queue_timeout = "10s"
ping_interval = "1s"
pong_timeout = "2s"
handshake_timeout = "2s"
first_event_timeout = "2s"
idle_event_timeout = "2s"
drain_timeout = "2s"
on_client_gone = "%s"
"""


class Serving(Protocol):
    """Who serves: one gateway, or several behind a balancer."""

    @property
    def url(self) -> str:
        """Where clients reach it."""

    @property
    def origins(self) -> Sequence[str]:
        """Where each process tells of its own connections."""

    @property
    def may_die(self) -> bool:
        """Whether a process may be killed while turns are under way."""

    def resident(self) -> int:
        """Return the bytes of memory in use."""

    def told(self) -> str:
        """Return what was written to stderr."""


def configuration(upstream: str, *, drains: bool) -> str:
    """Return a configuration with two channels, two accounts, six keys and a short life."""
    return _CONFIG + tables(upstream, drains=drains)


def tables(upstream: str, *, drains: bool) -> str:
    """Return all of it but where the gateway listens and what it keeps."""
    text = _SESSIONS % (CAP, "drain" if drains else "close")
    for name, transport, own in (("socket", "websocket", "gpt-5.5"), ("either", "auto", "gpt-5.2")):
        text += f'[[channels]]\nname = "{name}"\nbase_url = "{upstream}/v1"\n'
        text += f'api_key = "account-{name}"\ntransport = "{transport}"\n'
        text += f'models = ["{own}", "gpt-5-mini"]\n'
    for number in range(KEYS):
        text += f'[[api_keys]]\nname = "k{number}"\nkey = "{key_of(number)}"\n'
    return text


def key_of(number: int) -> str:
    """Return the key of a caller."""
    return f"key-of-caller-{number}"


def connections(metrics: str) -> Counter[str]:
    """Return the live connections of all channels by their state."""
    live: Counter[str] = Counter()
    for state, number in _COUNT.findall(metrics):
        live[state] += int(float(number))
    return live
