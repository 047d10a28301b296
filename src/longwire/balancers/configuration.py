"""Configurations of balancers: sessions are hashed to nodes by the headers that name them.

Law: the headers are those of the core, in its order, then those that hold the caller's key; so all
turns of a session come to one node, and those of a nameless session to the node of its caller.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from longwire.core.rules.session import KEY_HEADER, LONGEST_ID, OTHER_KEY_HEADERS, SESSION_HEADERS

_PLACE: Final = re.compile(r"@\{(\w+)\}")
KEY_HEADERS: Final = (KEY_HEADER, "authorization", *OTHER_KEY_HEADERS)


@dataclass(frozen=True, slots=True)
class Node:
    """One gateway: its name, which is its place on the ring, and where it listens.

    Without a port `host` is the path of a Unix socket.
    """

    name: str
    host: str
    port: int = 0

    @property
    def address(self) -> str:
        """Both in one."""
        return f"{self.host}:{self.port}" if self.port else self.host


@dataclass(frozen=True, slots=True)
class Site:
    """What a balancer is to do: before which nodes, where, and how long it waits, in seconds.

    `head` is how long the head of a request may take, `silence` how long an answer may say nothing,
    `tunnel` how long a WebSocket may; `body` is in bytes. `certificate` is a PEM file with its key
    in it, "" for no TLS. `headers` are those that name sessions beside the usual ones.
    """

    nodes: Sequence[Node]
    host: str = "*"
    port: int = 8080
    certificate: str = ""
    head: int = 30
    silence: int = 660
    tunnel: int = 90_000
    body: int = 64 * 1024 * 1024
    headers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Engine:
    """How a balancer is configured: a template; in it the lines of a header, a node, an address.

    A place in a text is `@{name}`: `$` has a meaning of its own to nginx. A header's lines know its
    `name`, its `number`, and what comes `next`. `spelled` is how the engine spells it; two that are
    one to the engine have one line. `anywhere` is the address of all interfaces.
    """

    template: str
    session: str
    key: str
    node: str
    plain: str
    secure: str
    anywhere: str
    spelled: Callable[[str], str] = str
    last: str = ""

    def configured(self, site: Site) -> str:
        """Return the whole configuration."""
        sessions = tuple(dict.fromkeys(map(self.spelled, (*SESSION_HEADERS, *site.headers))))
        keys = tuple(map(self.spelled, KEY_HEADERS))
        lines = tuple(self._headers(sessions, keys))
        host = self.anywhere if site.host == "*" else site.host
        at = {"host": host, "bare": host.strip("[]"), "port": site.port}
        at["certificate"] = site.certificate
        return _filled(
            files(__package__).joinpath(self.template).read_text("utf-8"),
            {
                **at,
                "head": site.head,
                "silence": site.silence,
                "tunnel": site.tunnel,
                "body": -(-site.body // 1024**2),
                "sessions": "\n".join(lines[: len(sessions)]),
                "keys": "\n".join(lines[len(sessions) :]),
                "first": 1,
                "nodes": "\n".join(self._nodes(site.nodes)),
                "listens": _filled(self.secure if site.certificate else self.plain, at),
            },
        )

    def _headers(self, sessions: Sequence[str], keys: Sequence[str]) -> Iterator[str]:
        forms = (*(self.session for _ in sessions), *(self.key for _ in keys))
        following = (*(f"longwire_{n}" for n in range(2, len(forms) + 1)), self.last)
        for number, (name, form) in enumerate(zip((*sessions, *keys), forms, strict=True), 1):
            places = {"name": name, "number": number, "next": following[number - 1]}
            yield _filled(form, {**places, "longest": LONGEST_ID})

    def _nodes(self, nodes: Sequence[Node]) -> Iterator[str]:
        for number, node in enumerate(nodes, 1):
            bare = node.host.strip("[]")
            places = {"name": node.name, "number": number, "address": node.address}
            yield _filled(self.node, {**places, "host": bare, "port": node.port})


def _filled(text: str, places: Mapping[str, object]) -> str:
    return _PLACE.sub(lambda found: str(places[found[1]]), text)
