"""The sockets that the gateway listens on: opened before anything else, so that it fails early."""

import errno
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, Final

from longwire.core.errors import ConfigurationError

_BACKLOG = 2048
_ANY = "::"
_NAMES: Final = {"localhost": ("127.0.0.1", "::1")}
_NOT_HERE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""What an address of a family meets that this machine does not have."""


def allow_connections() -> None:
    """Let this process, and those it starts, open as many descriptors as the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS takes less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of a host, at one port; worker processes inherit the sockets.

    `localhost` is the loopback address of both families, whatever the machine's file of hosts says;
    `::` is every address of both. Raises `ConfigurationError` for one in use, and for a name that
    nobody has.
    """
    with ExitStack() as opened:
        try:
            listeners = [opened.enter_context(each) for each in _opened(host.strip("[]"), port)]
        except OSError as error:
            is_lookup = isinstance(error, socket.gaierror)
            reason = error.strerror if is_lookup else os.strerror(error.errno or 0)
            raise ConfigurationError(
                f"cannot listen on {host}:{port} ({reason}); stop what uses it, or set another "
                "server.host or server.port"
            ) from error
        opened.pop_all()
    return listeners


def _opened(host: str, port: int) -> Iterator[socket.socket]:
    """Open the sockets, IPv4 first; a free port is the same for all."""
    addresses = sorted({each for name in _NAMES.get(host, (host,)) for each in _resolved(name)})
    absent: OSError | None = None
    is_open = False
    for family, address in addresses:
        try:
            listener = _open(family, (address[0], port, *address[2:]))
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise
            absent = error
            continue
        yield listener
        is_open, port = True, listener.getsockname()[1]
    if absent is not None and not is_open:
        raise absent


def _resolved(name: str) -> Iterator[tuple[int, Any]]:
    """Give each address of a name with its family."""
    for family, *_, address in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM):
        yield family, address


def _open(family: int, address: Any) -> socket.socket:  # noqa: ANN401 - each family has its own
    is_dual = address[0] == _ANY and socket.has_dualstack_ipv6()
    listener = socket.create_server(
        address, family=family, backlog=_BACKLOG, dualstack_ipv6=is_dual
    )
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.set_inheritable(True)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return where a socket that listens is found."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
