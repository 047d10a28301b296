"""A database URL means what it means to libpq, whatever of it a host prints."""

import asyncio
import socket

import pytest
from sqlalchemy import text

from longwire.core.errors import ConfigurationError
from longwire.store.database import Database
from tests.doubles.authority import Authority
from tests.doubles.postgresql import refusing

SERVER = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
SEEN = "seen enough"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def _no_home(monkeypatch, tmp_path):
    """Nothing of the user who runs the tests counts."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PGSSLMODE", "PGSSLROOTCERT", "PGPASSWORD", "PGHOST", "PGUSER"):
        monkeypatch.delenv(name, raising=False)


async def refusal(url):
    """Why a database cannot be used, in one line."""
    with pytest.raises(ConfigurationError, match=r"^database\.url: [^\n]+$") as caught:
        await _check(url)
    return str(caught.value)


async def _check(url):
    database = Database(url)
    try:
        await database.check()
    finally:
        await database.close()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
async def test_who_and_what_are_read_as_they_were_meant(scheme):
    """Either scheme; a user, a password and a name with any sign, in percent-encoding."""
    async with refusing() as server:
        url = f"{scheme}://us%40er:p%2Fa%3As%23s%25@127.0.0.1:{server.port}/na%20me"
        assert SEEN in await refusal(url)
    assert ("us@er", "na me") == (server.startups[0]["user"], server.startups[0]["database"])
    assert ["p/a:s#s%"] == server.passwords


@pytest.mark.parametrize(
    ("mode", "offers_tls", "encrypted"),
    [
        ("", True, [True]),
        ("", False, [False]),
        ("sslmode=disable", True, [False]),
        ("sslmode=allow", True, [False]),
        ("sslmode=prefer", True, [True]),
        ("sslmode=prefer", False, [False]),
        ("sslmode=require", True, [True]),
        ("sslmode=require", False, []),
        ("ssl=true", True, [True]),
        ("ssl=true", False, []),
    ],
)
async def test_the_mode_says_whether_it_is_encrypted(authority, mode, offers_tls, encrypted):
    """As libpq has it; a certificate that nobody knows does without `verify` in the mode."""
    async with refusing(authority.server() if offers_tls else None) as server:
        reason = await refusal(f"postgresql://u:p@127.0.0.1:{server.port}/d?{mode}")
    assert (SEEN in reason) == bool(encrypted)
    assert encrypted == server.over_tls[:1]


@pytest.mark.parametrize(
    ("host", "mode", "is_well"),
    [
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert={file}", True),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert={file}", True),
        ("127.0.0.1", "sslmode=require&sslrootcert={file}", True),
        ("localhost", "sslmode=verify-ca&sslrootcert={file}", True),
        ("localhost", "sslmode=verify-full&sslrootcert={file}", False),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=system", False),
        ("127.0.0.1", "sslrootcert=system", False),
        ("127.0.0.1", "sslmode=require&channel_binding=require", False),
        ("127.0.0.1", "sslmode=require&channel_binding=require&sslrootcert={file}", True),
        ("localhost", "sslmode=require&channel_binding=require&sslrootcert={file}", False),
    ],
)
async def test_a_certificate_is_verified_where_the_mode_says_so(authority, host, mode, is_well):
    """What is not trusted gets no password, and the error says what to add.

    To demand channel binding is to demand that nobody stands between.
    """
    async with refusing(authority.server()) as server:
        query = mode.format(file=authority.file)
        reason = await refusal(f"postgresql://u:p@{host}:{server.port}/d?{query}")
    assert (["p"] if is_well else []) == server.passwords
    assert ("as sslrootcert" in reason) != is_well


async def test_what_the_server_is_told(authority):
    """The name of the application, and options, arrive as they were written."""
    query = "application_name=long%20wire&options=-c%20statement_timeout%3D5s&connect_timeout=5"
    async with refusing(authority.server()) as server:
        url = f"postgresql://u:p@127.0.0.1:{server.port}/d?{query}"
        assert SEEN in await refusal(url)
    assert ("long wire", "-c statement_timeout=5s") == (
        server.startups[0]["application_name"],
        server.startups[0]["options"],
    )


@pytest.mark.parametrize(
    ("query", "mend"),
    [
        ("sslmod=require", "sslmod is unknown; write sslmode"),
        ("search_path=a", "search_path is unknown; write options=-c%20search_path=…"),
        ("sslmode=planted", "sslmode must be one of disable, allow,"),
        ("ssl=planted", "sslmode must be one of disable, allow,"),
        ("channel_binding=on", "channel_binding must be one of disable, prefer, require,"),
        ("target_session_attrs=any-write", "target_session_attrs must be one of any, read-write"),
        ("gssencmode=require", "gssencmode must be one of disable, prefer, or be left out"),
        ("connect_timeout=5s", "connect_timeout is no number; write whole seconds"),
        ("sslmode=verify-full", "add sslrootcert=FILE, or sslrootcert=system"),
        ("sslmode=verify-ca&sslrootcert=/none.pem", "sslrootcert: /none.pem is no file"),
        ("sslcert=/none.pem", "sslcert: /none.pem is no file"),
    ],
)
async def test_what_cannot_be_meant_names_the_parameter(query, mend):
    """One line, with what to write instead, before anybody is asked anything."""
    reason = await refusal(f"postgresql://u:p@127.0.0.1:1/d?{query}")
    assert mend in reason
    assert "planted" not in reason


async def test_a_password_that_is_cut_in_two_is_not_told():
    """An @ that is not encoded ends it: the mend says how to write it, and nothing of it."""
    reason = await refusal("postgresql://u:pla@nted@127.0.0.1:1/d")
    assert "special characters as %XX" in reason
    assert "nted" not in reason


@pytest.mark.parametrize("password", ["p/w", "p?w", "p#w", "p:w", "p+w", "p&w=x"])
async def test_other_signs_of_a_password_need_no_encoding(password):
    """What can be understood is."""
    async with refusing() as server:
        assert SEEN in await refusal(f"postgresql://u:{password}@127.0.0.1:{server.port}/d")
    assert [password] == server.passwords


async def test_several_hosts_are_tried_in_turn():
    """The second answers where nobody listens at the first."""
    async with refusing() as server:
        hosts = f"127.0.0.1:1,127.0.0.1:{server.port}"
        url = f"postgresql://u:p@{hosts}/d?target_session_attrs=read-write"
        assert SEEN in await refusal(url)
    assert ["p"] == server.passwords


async def test_a_host_may_be_a_parameter():
    """As a socket's folder is, and a host behind `?host=`."""
    async with refusing() as server:
        url = f"postgresql:///d?host=127.0.0.1&port={server.port}&user=me&password=p%26w"
        assert SEEN in await refusal(url)
    assert ("me", ["p&w"]) == (server.startups[0]["user"], server.passwords)


async def test_a_server_that_says_nothing_is_waited_for_no_longer_than_said():
    """`connect_timeout` is in seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with asyncio.timeout(10):
            await refusal(f"postgresql://u:p@127.0.0.1:{port}/d?connect_timeout=1&sslmode=disable")


@SERVER
@pytest.mark.parametrize(
    ("query", "setting", "value"),
    [
        ("application_name=longwire", "application_name", "longwire"),
        ("options=-c%20statement_timeout%3D7s", "statement_timeout", "7s"),
        ("target_session_attrs=read-write&connect_timeout=5", "transaction_read_only", "off"),
        ("pgbouncer=true", "server_encoding", "UTF8"),
    ],
)
async def test_a_server_serves_such_a_url(database_url, query, setting, value):
    """The connection is there, and has what the URL said."""
    database = Database(f"{database_url}&{query}")
    async with database.read() as connection:
        assert value == await connection.scalar(text(f"SHOW {setting}"))
    await database.close()
