"""What the URL of a Valkey may be, and what is said of one that may not."""

from contextlib import suppress

import pytest

from longwire.core.errors import ConfigurationError, FleetUnavailable
from longwire.fleet.addresses import connect_to
from longwire.fleet.cluster import Cluster
from longwire.fleet.links import Place, Single
from longwire.fleet.valkey import Valkey
from tests.doubles.authority import Authority
from tests.doubles.valkey import behind_tls, running_valkey

BAD = {
    "http://host:6379": "cannot be read; write valkey://user:password@host:6379/0",
    "host:6379": "cannot be read",
    "valkey:host": "cannot be read",
    "valkey://": "names no host",
    "valkey://:hidden@": "names no host",
    "valkey://host:hidden": "a port is a number",
    "valkey://host:70000": "a port is a number",
    "valkey://user:hid/den@host:1": "a port is a number",
    "valkey://host/zero": "the database is a number",
    "valkey://a,b": "several hosts need valkey+sentinel:// or valkey+cluster://",
    "valkey+ring://host": "'+ring' is not known",
    "valkey+sentinel://host": "name the master",
    "valkey+cluster://host/3": "a cluster has no database but 0",
    "valkey://host?timeout=3": "'timeout' is not known; known are db",
    "valkey://host?ssl_ca_certs=x": "'ssl_ca_certs' needs TLS: begin the URL with valkeys",
    "sentinel://host/mymaster": "cannot be read",
    "valkeys://host?ssl_ca_certs=/not/there.pem": "a certificate's file cannot be read",
    "valkeys://host?ssl_cert_reqs=maybe": "ssl_cert_reqs is required, optional or none",
    "unix://": "names no socket",
}


@pytest.mark.parametrize("url", BAD)
def test_a_bad_url_is_told_with_its_mend(url):
    """One line says what is wrong, and shows no password."""
    with pytest.raises(ConfigurationError) as caught:
        connect_to(url)
    said = str(caught.value)
    assert said.startswith("fleet.url: ")
    assert BAD[url] in said
    assert "\n" not in said
    assert "hid" not in said


@pytest.mark.parametrize("family", ["valkey+", "redis+", "valkeys+", "rediss+"])
def test_clusters_and_sentinels_by_each_of_their_names(family):
    """Hosts call them differently; ports that are left out are the usual ones."""
    cluster = connect_to(f"{family}cluster://a,[::1]:7000,b:7001")
    assert isinstance(cluster, Cluster)
    assert [Place("a", 6379), Place("::1", 7000), Place("b", 7001)] == list(cluster.seeds)
    sentinel = connect_to(f"{family}sentinel://u:p%40ss@a,b:7001/mymaster/2")
    assert isinstance(sentinel, Single)
    assert [Place("a", 26379), Place("b", 7001)] == list(sentinel.locate.places)
    assert "mymaster" == sentinel.locate.master
    connection = sentinel.connect(Place("c", 1))
    assert ("u", "p@ss", 2) == (connection.username, connection.password, connection.db)


async def answer_of(url):
    client = Valkey(connect_to(url))
    async with client.running():
        with suppress(FleetUnavailable):
            return await client.call("ECHO", "here")


@pytest.mark.fleet
async def test_a_user_a_password_and_a_database():
    """Each is taken from the URL, with special characters as %XX."""
    async with running_valkey("--requirepass", "p@ss/word") as server:
        assert b"here" == await answer_of(
            f"redis://default:p%40ss%2Fword@127.0.0.1:{server.port}/3"
        )
        assert b"here" == await answer_of(f"valkey://:p%40ss%2Fword@127.0.0.1:{server.port}?db=4")


@pytest.mark.fleet
async def test_a_unix_socket(tmp_path):
    """A server beside the gateway needs no port."""
    socket = tmp_path / "valkey.sock"
    async with running_valkey("--unixsocket", str(socket)):
        assert b"here" == await answer_of(f"unix://{socket}?db=1")


@pytest.mark.fleet
async def test_tls_is_verified_by_what_the_url_trusts(valkey_server, tmp_path):
    """An authority of one's own is named; without it nobody is spoken to."""
    ours = Authority(tmp_path)
    async with behind_tls(valkey_server, ours.server()) as port:
        assert b"here" == await answer_of(f"valkeys://127.0.0.1:{port}?ssl_ca_certs={ours.file}")
        assert b"here" == await answer_of(f"rediss://127.0.0.1:{port}?ssl_ca_certs={ours.file}")
        assert b"here" == await answer_of(f"valkeys://127.0.0.1:{port}?ssl_cert_reqs=none")
        assert await answer_of(f"valkeys://127.0.0.1:{port}") is None
