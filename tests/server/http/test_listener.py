"""Where the gateway listens: on every address of its host, or on none."""

import socket
from contextlib import ExitStack, closing

import pytest

from longwire.core.errors import ConfigurationError
from longwire.server.http.listener import listen, url_of


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


dual = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")


@pytest.fixture
def listening():
    """A function: listen on a host, and return the port and the URLs."""
    with ExitStack() as stack:

        def on(host, port=0):
            sockets = [stack.enter_context(closing(each)) for each in listen(host, port)]
            assert 1 == len({each.getsockname()[1] for each in sockets})
            return sockets[0].getsockname()[1], [url_of(each) for each in sockets]

        yield on


def reached(port) -> list[str]:
    """The loopback addresses at which somebody listens."""
    found = []
    for address in ("127.0.0.1", "::1"):
        try:
            with socket.create_connection((address, port), timeout=2):
                found.append(address)
        except OSError:
            pass
    return found


@dual
@pytest.mark.parametrize(
    ("host", "urls", "expected"),
    [
        ("localhost", ["http://127.0.0.1:{0}", "http://[::1]:{0}"], ["127.0.0.1", "::1"]),
        ("::", ["http://[::]:{0}"], ["127.0.0.1", "::1"]),
        ("127.0.0.1", ["http://127.0.0.1:{0}"], ["127.0.0.1"]),
        ("0.0.0.0", ["http://0.0.0.0:{0}"], ["127.0.0.1"]),
        ("::1", ["http://[::1]:{0}"], ["::1"]),
        ("[::1]", ["http://[::1]:{0}"], ["::1"]),
    ],
)
def test_a_host_is_all_of_its_addresses(listening, host, urls, expected):
    """Of one family or of both, at one port, free or not; each has its URL."""
    port, found = listening(host)
    assert ([each.format(port) for each in urls], expected) == (found, reached(port))


@dual
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_an_address_in_use_is_an_error(address):
    """Of either family: half a gateway would be found by some clients alone; nothing stays open."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ConfigurationError, match=rf"cannot listen on localhost:{port} \(Address"
        ):
            listen("localhost", port)
        assert [address] == reached(port)


def test_a_family_that_is_not_there_is_left_out(monkeypatch):
    """Without IPv6 `localhost` is its other address; a host with no other is an error."""
    real = socket.create_server

    def without_ipv6(address, *, family, **options):
        if family == socket.AF_INET6:
            raise OSError(99, "Cannot assign requested address")
        return real(address, family=family, **options)

    monkeypatch.setattr(socket, "create_server", without_ipv6)
    (only,) = listen("localhost", 0)
    with only:
        assert "127.0.0.1" == only.getsockname()[0]
    with pytest.raises(ConfigurationError, match="Cannot assign requested address"):
        listen("::1", 0)


def test_a_name_that_nobody_has():
    """The error names the host, and the mend."""
    with pytest.raises(
        ConfigurationError, match=r"cannot listen on no\.such\.invalid:1 .*server\.host"
    ):
        listen("no.such.invalid", 1)
