"""`longwire nodes`, `sessions` and `doctor` where several nodes share a Valkey."""

import asyncio
import json
import sys

import pytest

from longwire.cli.fleet_checks import Check, Verdict, check_clock
from longwire.cli.fleet_checks import _nodes as node_checks
from longwire.fleet.joined import joined
from longwire.fleet.nodes import Node, Presence
from tests.doubles.valkey import running_valkey, until

pytestmark = [pytest.mark.process, pytest.mark.fleet]


@pytest.fixture
async def server():
    async with running_valkey() as server:
        yield server


@pytest.fixture
async def fleet(server):
    """Two nodes, one of which tells of its sessions."""
    a, b = joined(server.url, "lw-a"), joined(server.url, "lw-b")
    a.nodes.stage = b.nodes.stage = lambda: "ready"
    a.nodes.figures = lambda: {"sessions": 3, "turns_per_second": 1.5, "turns_under_way": 2}
    row = {"channel": "main", "session": "s", "state": "idle", "age": 61.0, "turns": 2}
    row |= {"continued": 1, "bytes_saved": 10, "last": "continued"}
    row |= {"id": "lw-a/1", "node": "lw-a"}
    a.asking.answer("sessions", lambda _: [row, {"node": "lw-a", "of": "another version"}])

    async def know_each_other():
        return 4 == len((await a.nodes.presence()).nodes) + len((await b.nodes.presence()).nodes)

    async with a.running(), b.running():
        await until(know_each_other)
        yield a, b


async def run(*words, **environ):
    """Exit status, output and complaints of a command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "longwire", *words),
        env={"PATH": "/usr/bin:/bin", **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await process.communicate()
    return process.returncode, output.decode(), complaints.decode()


@pytest.fixture
def environ(server, tmp_path):
    return {"LONGWIRE_FLEET__URL": server.url, "HOME": str(tmp_path), "COLUMNS": "200"}


async def test_nodes_are_a_table(fleet, environ):
    """One line each, with what it counts where."""
    status, output, complaints = await run("nodes", **environ)
    titles, a, b = output.splitlines()
    assert (0, "") == (status, complaints)
    assert ["name", "version", "stage", "up", "sessions", "turns/s"] == titles.split()[:6]
    name, version, stage, _up, *figures = a.split()
    assert ("lw-a", "ready", ["3", "1.5", "2"]) == (name, stage, figures[:3])
    assert version == fleet[0].nodes.own.version
    assert (b.split()[0], b.split()[-1]) == ("lw-b", "valkey")


async def test_nodes_are_json(fleet, environ):
    """All that each announced, and who is missing."""
    status, output, _ = await run("nodes", "--json", **environ)
    told = json.loads(output)
    assert (0, []) == (status, told["missing"])
    assert ["lw-a", "lw-b"] == [node["name"] for node in told["nodes"]]
    assert {"sessions": 3, "turns_per_second": 1.5, "turns_under_way": 2} == (
        told["nodes"][0]["figures"]
    )


async def test_looking_is_no_node(fleet, environ):
    """A command leaves no trace among the nodes."""
    await run("nodes", **environ)
    presence = await fleet[0].nodes.presence()
    assert (["lw-a", "lw-b"], {}) == ([each.name for each in presence.nodes], presence.silent)


async def test_without_a_fleet_the_mend_is_told(tmp_path):
    """One line, and status 1."""
    status, output, complaints = await run("nodes", HOME=str(tmp_path))
    assert (1, "") == (status, output)
    assert 1 == complaints.count("\n")
    assert "fleet.url" in complaints


async def test_a_valkey_that_is_away_is_told(server, environ):
    """The commands say so, and the doctor fails."""
    await server.kill()
    for command in ("nodes", "sessions"):
        status, _, complaints = await run(command, **environ)
        assert (1, True) == (status, "longwire: fleet.url: " in complaints)
    status, output, _ = await run("doctor", "--offline", **environ)
    assert (1, True) == (status, "FAIL valkey: fleet.url: " in output)


async def test_sessions_of_all_nodes(fleet, environ):
    """With their node, and a line for each node that did not answer."""
    status, output, _ = await run("sessions", **environ)
    titles, row, *rest = output.splitlines()
    assert 0 == status
    assert ["node", "channel", "session", "state"] == titles.split()[:4]
    assert ["lw-a", "main", "s", "idle", "1m01s"] == row.split()[:5]
    assert ["the node lw-b did not answer"] == [each.strip() for each in rest[:-1]]
    status, output, complaints = await run("sessions", "--json", **environ)
    assert ["lw-a/1"] == [each["id"] for each in json.loads(output)]
    assert "the node lw-b did not answer\n" == complaints


async def test_the_doctor_looks_at_valkey(fleet, environ, server):
    """A line each for the server, its memory and disk, its clock, and the nodes."""
    _, output, _ = await run("doctor", "--offline", **environ)
    assert "warn database: there is no database at " in output
    assert "ok   valkey: valkey " in output
    assert "ok   valkey memory: maxmemory-policy is noeviction\n" in output
    assert "ok   valkey persistence: AOF is off: limits begin anew when it is restarted\n" in output
    assert "ok   clock of valkey: agrees with this host's\n" in output
    version = fleet[0].nodes.own.version
    assert f"ok   nodes: lw-a {version}, lw-b {version}\n" in output
    await fleet[0].valkey.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    status, output, _ = await run("doctor", "--offline", **environ)
    assert 1 == status
    assert "FAIL valkey memory: maxmemory-policy is allkeys-lru, which forgets" in output


@pytest.mark.parametrize(
    ("ahead", "words", "verdict"),
    [
        (0.0, "agrees", Verdict.OK),
        (-3.0, "agrees", Verdict.OK),
        (3.1, "3 s ahead of this host's; have both follow NTP", Verdict.WARN),
        (-61.0, "61 s behind this host's", Verdict.WARN),
    ],
)
def test_clocks_that_differ_are_told(ahead, words, verdict):
    """By how much, and which is ahead."""
    check = check_clock("x", ahead)
    assert (True, verdict) == (words in check.how, check.verdict)


def test_versions_and_names_are_told():
    """Two versions are for a roll alone; two processes of a name are wrong; silence is told."""
    nodes = [Node("a", "1", "1.0"), Node("a", "2", "1.0"), Node("b", "3", "1.1")]
    versions, silent, taken = node_checks(Presence(nodes, {"c": 20.0}), "1.0")
    assert Verdict.WARN is versions.verdict
    assert "a 1.0, a 1.0, b 1.1; this is 1.0" in versions.how
    assert (True, Verdict.WARN) == ("c has not been heard for 20s" in silent.how, silent.verdict)
    assert (True, Verdict.FAIL) == ("named a;" in taken.how, taken.verdict)
    assert [Check("nodes", "a 1.0")] == list(node_checks(Presence(nodes[:1]), "1.0"))
