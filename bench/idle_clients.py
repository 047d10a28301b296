"""What a client's WebSocket costs the gateway while nobody says anything on it.

Plain sockets, opened one after the other: the client side is not what is measured.
"""

import resource
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

from bench.figures import Row, Spread
from bench.processes import KEY, gateway

TARGET = 32 * 1024
_CLIENTS, _FEW, _WARM_UP = 10_000, 1_000, 200
_UPGRADE = (
    "GET /v1/responses HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    f"User-Agent: bench/1.0\r\nsession-id: 0123456789\r\nAuthorization: Bearer {KEY}\r\n\r\n"
).encode()


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """Resident memory of the gateway per idle client over WebSocket."""
    number = _FEW if quick else _CLIENTS
    _allow_files(number + 100)
    with gateway("http://127.0.0.1:9") as longwire, ExitStack() as clients:
        _connect(longwire.url, _WARM_UP, clients)
        before = longwire.resident()
        _connect(longwire.url, number - _WARM_UP, clients)
        each = (longwire.resident() - before) / (number - _WARM_UP)
    return [
        Row(f"resident, each of {number:,} idle clients", Spread.of([each]), "bytes", None, TARGET)
    ]


def _allow_files(number: int) -> None:
    """Let this process, and those it starts, have so many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(number * 2, hard)), hard))


def _connect(url: str, number: int, clients: ExitStack) -> None:
    """Open so many connections, each upgraded before the next."""
    parts = urlsplit(url)
    for _ in range(number):
        client = clients.enter_context(
            socket.create_connection((parts.hostname or "", parts.port or 0))
        )
        client.sendall(_UPGRADE)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += client.recv(4096)
        if b" 101 " not in answer:
            raise RuntimeError(f"the upgrade was refused: {answer!r}")
