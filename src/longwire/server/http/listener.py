"""The socket that the gateway listens on: opened before anything else, so that it fails early."""

import os
import socket

from longwire.core.errors import ConfigurationError

_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address; the socket is inherited by worker processes.

    Raises `ConfigurationError` for one in use, and for a name that nobody has.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        is_lookup = isinstance(error, socket.gaierror)
        reason = error.strerror if is_lookup else os.strerror(error.errno or 0)
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({reason}); stop what uses it, or set another "
            "server.host or server.port"
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.set_inheritable(True)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return where a socket that listens is found."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
