"""`longwire serve --workers 2`: several processes that begin, serve and end as one."""

import asyncio
import json
import os
import resource
import signal
import socket
import stat
from collections import Counter

import aiohttp
import pytest

from longwire.core.rules.session import SESSION_HEADERS
from tests.conftest import KEY
from tests.doubles.valkey import until
from tests.journeys.agent import scripted
from tests.supervisor.conftest import Machine, is_there

pytestmark = [pytest.mark.process, pytest.mark.fleet, pytest.mark.timeout(120)]

BEARER = {"authorization": f"Bearer {KEY}"}
SIGN_IN = """mutation {
  signIn(input: {email: "o@example.org", password: "wrong wrong wrong"}) { id }
}"""
TURN = {"model": "gpt-5.5", "input": "hi", "metadata": scripted()}
NO_BALANCER = {"RAY_SERVE_HAPROXY_BINARY_PATH": "/nowhere"}


async def status_of(machine, key=KEY, session="s", **turn):
    """How a turn ends."""
    headers = {"authorization": f"Bearer {key}", "session-id": session}
    async with (
        aiohttp.ClientSession(machine.url, headers=headers) as client,
        client.post("/v1/responses", json={**TURN, **turn}) as response,
    ):
        await response.read()
        return response.status


async def sessions_of(machine):
    """The live connections, as `longwire sessions` tells them."""
    return json.loads(await machine.run("sessions", "--json"))


def lines(machine, event):
    """What it has logged of a kind."""
    logged = [json.loads(line) for line in machine.log().splitlines()]
    return [line for line in logged if line["event"] == event]


async def test_a_session_has_one_worker(machine, emulator):
    """By any header that names it; both workers have sessions, and the log says what is shared."""
    async with machine(emulator.url) as one, aiohttp.ClientSession(one.url, headers=BEARER) as user:
        for number, header in enumerate(SESSION_HEADERS * 2):
            for _ in range(3):
                headers = {header: f"session-{number}"}
                async with user.post("/v1/responses", json=TURN, headers=headers) as response:
                    assert 200 == response.status
        rows = await sessions_of(one)
    names = [row["session"] for row in rows]
    assert sorted({*names}) == sorted(names)
    assert len(SESSION_HEADERS) * 2 == len(rows)
    assert {3} == {row["turns"] for row in rows}
    assert 2 == len({row["process"] for row in rows})
    (line,) = lines(one, "several_workers")
    assert (2, "haproxy", "valkey") == (line["workers"], line["balancer"], line["limits"])


async def test_workers_are_shown_as_nodes(tmp_path, emulator, unused_tcp_port):
    """Where they share a Valkey of their own, commands find it as long as it is there."""
    one = Machine(tmp_path, emulator.url, port=unused_tcp_port)
    await one.start("--workers", "2")
    try:
        await one.serve()
        nodes = json.loads(await one.run("nodes", "--json", "--config", str(one.config)))["nodes"]
        (note,) = (tmp_path / "run" / "longwire").glob("*.valkey")
        assert 0o600 == stat.S_IMODE(note.stat().st_mode)
        one.signal(signal.SIGTERM)
        assert 0 == await one.end()
    finally:
        await one.kill()
    assert [("-0", "ready"), ("-1", "ready")] == [(n["name"][-2:], n["stage"]) for n in nodes]
    assert not note.exists()


async def test_a_limit_holds_over_both_workers(tmp_path, emulator):
    """A key with seven requests a minute has seven, whichever workers its sessions come to."""
    one = Machine(tmp_path, emulator.url)
    limit = "--set=requests_per_minute=7"
    create = (*("keys", "create", "limited", "--json", limit), "--config", str(one.config))
    key = json.loads(await one.run(*create))["secret"]
    await one.start("--workers", "2")
    try:
        await one.serve()
        async with asyncio.TaskGroup() as group:
            turns = [
                group.create_task(status_of(one, key=key, session=f"s-{n}")) for n in range(20)
            ]
        one.signal(signal.SIGTERM)
        assert 0 == await one.end()
    finally:
        await one.kill()
    assert {200: 7, 429: 13} == Counter(turn.result() for turn in turns)


async def test_each_worker_has_its_share_while_valkey_is_away(tmp_path, emulator):
    """Also where it was never there: both know that they are two."""
    one = Machine(tmp_path, emulator.url, extra='[fleet]\nurl = "valkey://127.0.0.1:1/0"\n')
    limit = "--set=requests_per_minute=6"
    create = (*("keys", "create", "limited", "--json", limit), "--config", str(one.config))
    key = json.loads(await one.run(*create))["secret"]
    await one.start("--workers", "2")
    try:
        await one.serve()
        counts = Counter([await status_of(one, key=key, session=f"s-{n}") for n in range(30)])
    finally:
        await one.kill()
    assert {200: 6, 429: 24} == counts


async def test_a_worker_that_dies_is_started_again(machine, emulator):
    """Meanwhile the other one serves its sessions; no new turn fails."""
    async with machine(emulator.url) as one:
        first, _ = one.parts("longwire.worker")
        os.kill(first, signal.SIGKILL)
        await until(lambda: bool(lines(one, "program_ended")))  # its sockets are closed by then
        for number in range(20):
            assert 200 == await status_of(one, session=f"s-{number}")
        await until(lambda: len({*one.parts("longwire.worker")} - {first}) == 2)
        (line,) = lines(one, "program_ended")
        assert (-9, True) == (line["status"], line["program"].endswith(("-0", "-1")))


@pytest.mark.parametrize("name", ["haproxy", "valkey-server"])
async def test_an_engine_that_dies_is_started_again(machine, emulator, name):
    """Nobody has to look after it; clients that come meanwhile wait."""
    async with machine(emulator.url) as one:
        (engine,) = one.parts(name)
        os.kill(engine, signal.SIGKILL)
        await until(lambda: not is_there(engine))
        assert 200 == await status_of(one)
        await until(lambda: [engine] != one.parts(name) != [])


async def test_nothing_outlives_a_supervisor_that_is_killed(machine, emulator):
    """Neither a worker nor HAProxy nor Valkey; its port is free."""
    async with machine(emulator.url) as one:
        parts = one.parts("")
        assert 4 == len(parts)
        one.process.kill()
        await one.process.wait()
        await until(lambda: not any(map(is_there, parts)))
        port = int(one.url.rpartition(":")[2])
        socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.parametrize("environ", [{}, NO_BALANCER], ids=["haproxy", "one port"])
async def test_no_turn_fails_when_it_ends(machine, emulator, environ):
    """Turns that run, and those that come while it is a lame duck, end whole; the status is 0."""
    slow = {"metadata": scripted(delay_ms=150)}
    async with machine(emulator.url, **environ) as one, asyncio.TaskGroup() as group:
        turns = [group.create_task(status_of(one, session=f"s-{n}", **slow)) for n in range(12)]
        await until(lambda: emulator.counters.creates >= 1)
        one.signal(signal.SIGTERM)
        turns += [group.create_task(status_of(one, session=f"l-{n}")) for n in range(6)]
        assert 0 == await one.end()
    assert [200] * 18 == [turn.result() for turn in turns]
    assert [] == lines(one, "haproxy")


async def test_who_only_stays_connected_keeps_it_from_no_end(machine, emulator):
    """It ends when the lame duck has, though a browser holds a connection that it never used."""
    async with machine(emulator.url) as one:
        port = int(one.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)):
            one.signal(signal.SIGTERM)
            async with asyncio.timeout(4.5):
                assert 0 == await one.end()


async def test_a_reload_reaches_all_workers(machine, emulator):
    """SIGHUP: each reads the file anew."""
    async with machine(emulator.url) as one:
        assert 401 == await status_of(one, key="another-key")
        text = one.config.read_text(encoding="utf-8").replace(KEY, "another-key")
        one.config.write_text(text, encoding="utf-8")
        one.signal(signal.SIGHUP)
        await until(lambda: len(lines(one, "configuration_reloaded")) == 2)
        for number in range(8):
            assert 200 == await status_of(one, key="another-key", session=f"s-{number}")


async def test_without_haproxy_workers_share_the_port(machine, emulator):
    """It serves, and one line says what that costs."""
    async with machine(emulator.url, **NO_BALANCER) as one:
        assert 200 == await status_of(one)
        (line,) = lines(one, "several_workers")
        assert ("warning", True) == (line["level"], "38 %" in line["note"])
        assert [] == one.parts("haproxy")


async def test_a_turn_that_is_cut_gets_an_error_of_the_api(machine, emulator):
    """Clients read JSON, whoever says it."""
    headers = {"authorization": f"Bearer {KEY}", "x-long": "x" * 32_000}
    slow = {**TURN, "metadata": scripted(delay_ms=5_000)}
    headers |= {f"x-{number}": "x" for number in range(200)}

    async def turn(url):
        async with (
            aiohttp.ClientSession(url, headers=headers) as client,
            client.post("/v1/responses", json=slow) as response,
        ):
            return response.status, (await response.json())["error"]["code"]

    async with machine(emulator.url) as one, asyncio.TaskGroup() as group:
        cut = group.create_task(turn(one.url))
        await until(lambda: emulator.counters.creates >= 1)
        for worker in one.parts("longwire.worker"):
            os.kill(worker, signal.SIGKILL)
    assert (502, "unavailable") == cut.result()


async def test_clients_are_known_by_their_own_address(machine, emulator):
    """One client guesses passwords without an end; another one may still sign in."""

    async def guess(address, times):
        connector = aiohttp.TCPConnector(local_addr=(address, 0))
        async with aiohttp.ClientSession(one.url, connector=connector) as client:
            for number in range(times):
                headers = {"x-longwire-csrf": "1", "x-forwarded-for": f"10.0.0.{number}"}
                call = client.post("/admin/graphql", json={"query": SIGN_IN}, headers=headers)
                async with call as response:
                    (error,) = (await response.json())["errors"]
                    yield error["extensions"]["code"]

    async with machine(emulator.url) as one:
        codes = [code async for code in guess("127.0.0.2", 40)]
        assert "LIMIT" == codes[-1]
        assert ["INVALID"] == [code async for code in guess("127.0.0.3", 1)]


@pytest.fixture
def few_descriptors():
    """A low soft limit for what is started; the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("workers", [1, 2])
async def test_descriptors_are_those_of_the_hard_limit(machine, emulator, few_descriptors, workers):
    """In one process, and in each worker: HAProxy takes no more clients than they can."""
    async with machine(emulator.url, "--workers", str(workers)) as one:
        for process in (one.process.pid, *one.parts("longwire.worker")):
            assert few_descriptors == resource.prlimit(process, resource.RLIMIT_NOFILE)[0]


HEADS = {
    "long": {"x-long": "x" * 65_000},
    "many": {f"x-{number}": "x" * 9 for number in range(3_000)},
}


async def test_heads_are_taken_as_by_one_process(machine, emulator):
    """Nearly 64 KiB of them, in few headers or in many."""
    ended = {}
    async with machine(emulator.url) as one, aiohttp.ClientSession(one.url, headers=BEARER) as user:
        for name, headers in HEADS.items():
            async with user.post("/v1/responses", json=TURN, headers=headers) as response:
                ended[name] = response.status
    assert dict.fromkeys(HEADS, 200) == ended


async def test_each_worker_is_scraped_by_its_name(machine, emulator):
    """Its figures and no other's; a name that nobody has is not found."""
    found = set()

    async def scrape(name):
        async with (
            aiohttp.ClientSession(one.url) as prometheus,
            prometheus.get("/metrics", params={"node": name}) as response,
        ):
            is_own = f'longwire_node_info{{node="{name}"' in await response.text()
            return name, response.status, is_own

    async with machine(emulator.url, LONGWIRE_FLEET__NODE="lw") as one:
        for name in ("lw-0", "lw-1", "lw-0", "lw-1", "lw-2"):
            found.add(await scrape(name))
    assert {("lw-0", 200, True), ("lw-1", 200, True), ("lw-2", 404, False)} == found


BAD_CHANNEL = """
[[channels]]
name = "b"
base_url = "http://b"
api_key = "k"
tls_ca = "no.pem"
"""


@pytest.mark.parametrize(
    ("extra", "mend"), [(BAD_CHANNEL, "tls_ca"), ('[fleet]\nurl = "valkey://"\n', "fleet.url")]
)
async def test_a_bad_configuration_is_refused_as_with_one_process(tmp_path, emulator, extra, mend):
    """The same words, the same exit status."""
    said = []
    for options in ((), ("--workers", "2")):
        one = Machine(tmp_path, emulator.url, extra=extra)
        await one.start(*options)
        assert 1 == await one.end()
        said.append(one.log())
    assert said[0] == said[1]
    assert (1, True) == (said[0].count("\n"), mend in said[0]), said


async def test_a_busy_port_is_one_line(tmp_path, emulator):
    """As with one process."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        one = Machine(tmp_path, emulator.url, port=taken.getsockname()[1])
        await one.start("--workers", "2")
        assert 1 == await one.end()
    assert "cannot listen on 127.0.0.1" in one.log()
    assert 1 == one.log().count("\n")
