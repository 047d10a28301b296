"""A tunnel by itself; what it is for is in test_dialer_proxies.py."""

import socket

from longwire.upstream.net.handshake import Handshake
from longwire.upstream.net.tunnel import Tunnel, open_tunnel
from longwire.upstream.net.urls import Origin
from tests.doubles.peer import peer


async def test_a_socket_that_was_not_used_yet():
    """A tunnel that begins with a socket closes it, too."""
    ours, theirs = socket.socketpair()
    with theirs:
        Tunnel(ours).abort()
        assert -1 == ours.fileno()


async def test_the_kernel_keeps_little():
    """What waits for a slow client is bounded below us as well."""
    async with peer(lambda _: None) as there:
        tunnel = await open_tunnel(Origin("127.0.0.1", there.port, is_secure=False), None, None)
        await tunnel.attach(Handshake(b"x"))
        own = tunnel.transport.get_extra_info("socket")
        window = own.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert 64 * 1024 <= window <= 2 * 512 * 1024
        tunnel.abort()
        assert await there.is_left()
