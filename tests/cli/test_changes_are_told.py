"""Commands that change the database tell the nodes of a fleet, who then look at once."""

import asyncio
import sys

import pytest

from longwire.fleet.joined import joined
from tests.doubles.valkey import running_valkey, until
from tests.fleet.hearing import hear_each_other

pytestmark = [pytest.mark.process, pytest.mark.fleet]


@pytest.fixture
async def server():
    async with running_valkey() as server:
        yield server


@pytest.fixture
def longwire(server, tmp_path):
    """Run a command beside a Valkey; return its exit status, output and complaints."""
    environ = {"LONGWIRE_FLEET__URL": server.url, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    environ |= {"LONGWIRE_DATABASE__URL": f"sqlite:///{tmp_path}/longwire.db"}

    async def run(*words):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "longwire", *words),
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, complaints = await process.communicate()
        return process.returncode, output.decode(), complaints.decode()

    return run


async def test_nodes_hear_of_a_change(server, longwire):
    """Of a key that is made and one that is revoked; of a list that is read they hear nothing."""
    a, b = joined(server.url, "lw-a"), joined(server.url, "lw-b")
    heard = []
    a.tidings.hear("revision", lambda _node, _facts: heard.append(None))
    async with a.running(), b.running():
        await hear_each_other(a, b)
        assert 0 == (await longwire("keys", "create", "ci"))[0]
        await until(lambda: len(heard) == 1)
        assert 0 == (await longwire("keys", "list"))[0]
        assert 0 == (await longwire("keys", "revoke", "ci"))[0]
        await until(lambda: len(heard) == 2)


@pytest.mark.parametrize("way", ["frozen", "gone"])
async def test_a_change_needs_no_valkey(server, longwire, way):
    """While it is away the change is made, and nothing else is printed."""
    if way == "gone":
        await server.kill()
    else:
        server.freeze()
    status, output, complaints = await longwire("keys", "create", "ci")
    assert (0, "lw_", 1) == (status, output[:3], output.count("\n"))
    assert 2 == complaints.count("\n")  # which database, and whose key
    assert "the key is shown this once" in complaints
