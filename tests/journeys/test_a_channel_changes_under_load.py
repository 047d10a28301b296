"""Hot swap: what is edited drains, everything else goes on as if nothing had happened."""

import asyncio
import json
import os
import signal
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from longwire.core.errors import ConfigurationError
from longwire.core.nouns.access import Actor
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.secret import Secret
from longwire.core.rules.lease import State
from longwire.emulator import Emulator
from longwire.settings import load
from longwire.store.store import open_store
from tests.conftest import KEY
from tests.journeys.agent import Agent, scripted
from tests.journeys.conftest import SCRIPT, become
from tests.journeys.process import served

SESSIONS = 200


def _written(folder: Path, channels: Iterable[dict], **server) -> Path:
    """Write a configuration file with these channels."""
    config = folder / "longwire.toml"
    sections = ["[server]", *(f"{name} = {json.dumps(value)}" for name, value in server.items())]
    sections += ["[sessions]", f"max_connections = {2 * SESSIONS}"]
    for channel in channels:
        told = {"api_key": "sk-upstream", "transport": "websocket", **channel}
        sections += ["[[channels]]", *(f"{k} = {json.dumps(v)}" for k, v in told.items())]
    sections += ["[[api_keys]]", 'name = "dev"', f'key = "{KEY}"']
    config.write_text("\n".join(sections), encoding="utf-8")
    return config


@pytest.fixture
async def other():
    """Another upstream."""
    async with Emulator(script=SCRIPT) as running:
        yield running
        assert [] == running.violations


@pytest.fixture
def channels(emulator, other):
    """Two channels, each of an upstream and a model of its own."""
    return {
        "one": {"name": "one", "base_url": f"{emulator.url}/v1", "models": ["gpt-one"]},
        "two": {"name": "two", "base_url": f"{other.url}/v1", "models": ["gpt-two"]},
    }


@pytest.fixture
async def gateway(serve, channels, tmp_path):
    """A gateway whose file declares both channels."""
    return await serve(load(_written(tmp_path, channels.values()), {}))


async def _edit(gateway, tmp_path, channels, **changes):
    """Change the channel `one` in the file, and let the gateway take it over."""
    edited = {**channels, "one": {**channels["one"], **changes}}
    _written(tmp_path, edited.values())
    await gateway.app.reconciler.reload_file()


def _agent(client_of, gateway, upstream, model, number=0):
    client = client_of(gateway, headers={"session-id": f"s-{number}"})
    return Agent(client, upstream, model=model)


async def _all_step(agents):
    """Let each agent take a turn, twenty at once."""
    for start in range(0, len(agents), 20):
        async with asyncio.TaskGroup() as group:
            for agent in agents[start : start + 20]:
                group.create_task(agent.step())


async def test_an_edit_closes_nothing_of_other_channels(
    gateway, client_of, emulator, other, channels, tmp_path
):
    """200 live sessions of a channel go on, warm, while another one is edited again and again."""
    agents = [_agent(client_of, gateway, other, "gpt-two", n) for n in range(SESSIONS)]
    await _all_step(agents)
    assert SESSIONS == other.counters.sockets_open
    edited = _agent(client_of, gateway, emulator, "gpt-one", "edited")
    for number in range(5):
        await edited.step()
        await _edit(gateway, tmp_path, channels, tls_verify=bool(number % 2))
    assert 5 == emulator.counters.sockets_opened
    await become(lambda: emulator.counters.sockets_closed == 5)
    for agent in agents[:: SESSIONS // 20]:
        assert "continued" == (await agent.step()).way
    assert (SESSIONS, 0) == (other.counters.sockets_opened, other.counters.sockets_closed)


async def test_an_edit_in_the_database_closes_nothing_of_other_channels(
    serve, client_of, emulator, other, channels, tmp_path
):
    """The same for a channel of the store: 200 live sessions elsewhere stay as warm as they are."""
    url, key_file = f"sqlite:///{tmp_path}/longwire.db", tmp_path / "secret.key"
    config = _written(tmp_path, [channels["two"]])
    gateway = await serve(load(config, {}), lambda: open_store(url, Secret(""), key_file))
    store = await open_store(url, Secret(""), key_file)
    actor, base_url = Actor("", "test"), channels["one"]["base_url"]
    spec = ChannelSpec("", "one", base_url=base_url, credential=Secret("sk"), models=("gpt-one",))
    made = await store.channels.create(replace(spec, transport="websocket"), actor)
    await gateway.app.reconciler.look()
    agents = [_agent(client_of, gateway, other, "gpt-two", n) for n in range(SESSIONS)]
    await _all_step(agents)
    edited = _agent(client_of, gateway, emulator, "gpt-one", "edited")
    for number in range(3):
        await edited.step()
        made = await store.channels.update(replace(made, tls_verify=bool(number % 2)), actor)
        await gateway.app.reconciler.look()
    await store.close()
    await become(lambda: emulator.counters.sockets_closed == 3)
    for agent in agents[:: SESSIONS // 20]:
        assert "continued" == (await agent.step()).way
    assert (SESSIONS, 0) == (other.counters.sockets_opened, other.counters.sockets_closed)


@pytest.mark.parametrize(
    "changes",
    [
        {"weight": 3},
        {"models": ["gpt-one", "gpt-more"]},
        {"name": "renamed"},
        {"handshake_rate": 5.0, "handshake_burst": 9},
        {"enabled": True},
    ],
    ids=["weight", "models", "name", "handshakes", "nothing"],
)
async def test_what_no_connection_depends_on_closes_none(
    gateway, client_of, emulator, channels, tmp_path, changes
):
    """After a rename, or another weight or model list, the next turn continues."""
    agent = _agent(client_of, gateway, emulator, "gpt-one")
    await agent.step()
    await _edit(gateway, tmp_path, channels, **changes)
    told = await agent.step()
    assert ("continued", changes.get("name", "one")) == (told.way, told.channel)
    assert 1 == emulator.counters.sockets_opened


async def test_a_disabled_channel_takes_no_turns_and_comes_back_warm(
    gateway, client_of, emulator, channels, tmp_path
):
    """Disabling routes turns elsewhere, here nowhere; enabling again finds the connection."""
    agent = _agent(client_of, gateway, emulator, "gpt-one")
    await agent.step()
    await _edit(gateway, tmp_path, channels, enabled=False)
    with pytest.raises(Exception, match="one: disabled"):
        await agent.fork().step()
    await _edit(gateway, tmp_path, channels, enabled=True)
    assert "continued" == (await agent.step()).way


@pytest.mark.parametrize("what", ["base_url", "organization", "tls_verify"])
async def test_the_next_turn_on_an_edited_channel_is_right(
    gateway, client_of, emulator, channels, tmp_path, what
):
    """The idle connection goes; the next turn brings its whole context to a new one."""
    changes = {
        "base_url": f"{emulator.url}/v1#",
        "organization": "org-1",
        "tls_verify": False,
    }
    agent = _agent(client_of, gateway, emulator, "gpt-one")
    await agent.step()
    await _edit(gateway, tmp_path, channels, **{what: changes[what]})
    is_same_url = what == "base_url"
    await become(lambda: emulator.counters.sockets_open == (1 if is_same_url else 0))
    told = await agent.step()
    expected = "continued" if is_same_url else "fresh new_session"
    assert expected == told.way
    assert "continued" == (await agent.step()).way


async def test_a_turn_under_way_ends_where_it_began(
    gateway, client_of, emulator, channels, tmp_path
):
    """A response that runs while its channel is edited comes to its end, then its connection."""
    agent = _agent(client_of, gateway, emulator, "gpt-one")
    await agent.step()
    slow = asyncio.get_running_loop().create_task(agent.step(metadata=scripted(delay_ms=30)))
    await become(lambda: _leased(gateway) == 1)
    await _edit(gateway, tmp_path, channels, tls_verify=False)
    assert 1 == emulator.counters.sockets_open
    assert "continued" == (await slow).way
    await become(lambda: emulator.counters.sockets_open == 0)
    assert "fresh new_session" == (await agent.step()).way


def _leased(gateway):
    return sum(entry.state is State.LEASED for entry in gateway.app.pool.ledger.entries())


async def test_a_bad_file_changes_nothing_and_says_why(
    gateway, client_of, emulator, channels, tmp_path
):
    """Neither a file that cannot be read nor a channel that cannot run disturbs a session."""
    agent = _agent(client_of, gateway, emulator, "gpt-one")
    await agent.step()
    reconciler = gateway.app.reconciler
    good = (tmp_path / "longwire.toml").read_text(encoding="utf-8")
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")
    bad = good.replace('name = "one"', f'name = "one"\ntls_ca = "{tmp_path / "ca.pem"}"')
    for text, reason in ((good + "\n[nonsense]", "nonsense"), (bad, "tls_ca"), ("[", "TOML")):
        (tmp_path / "longwire.toml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=reason):
            await reconciler.reload_file()
        (tmp_path / "longwire.toml").write_text(text + "\n", encoding="utf-8")
        await reconciler.look()
        assert reason in reconciler.problem
        assert "continued" == (await agent.step()).way
    (tmp_path / "longwire.toml").write_text(good, encoding="utf-8")
    await reconciler.look()
    assert "" == reconciler.problem
    assert 1 == emulator.counters.sockets_opened


async def test_keys_of_the_file_come_and_go(gateway, channels, tmp_path):
    """A key that the file no longer declares is refused from then on."""
    text = (tmp_path / "longwire.toml").read_text(encoding="utf-8")
    for key, expected in ((KEY, 200), ("lw-another-key", 401)):
        assert expected == await _status(gateway, key)
    (tmp_path / "longwire.toml").write_text(text.replace(KEY, "lw-another-key"), encoding="utf-8")
    await gateway.app.reconciler.reload_file()
    for key, expected in ((KEY, 401), ("lw-another-key", 200)):
        assert expected == await _status(gateway, key)


async def _status(gateway, key):
    headers = {"authorization": f"Bearer {key}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{gateway.url}/v1/models", headers=headers) as answer,
    ):
        return answer.status


@pytest.mark.process
@pytest.mark.parametrize("asks", [True, False], ids=["SIGHUP", "the file changed"])
async def test_a_running_command_takes_the_file_over(emulator, tmp_path, asks):
    """SIGHUP, or the change of the file alone, is enough; the process goes on."""
    async with served(tmp_path, emulator.url) as gateway:
        config = tmp_path / "longwire.toml"
        before = config.stat()
        config.write_text(
            config.read_text(encoding="utf-8").replace('name = "main"', 'name = "next"'),
            encoding="utf-8",
        )
        if asks:
            os.utime(config, ns=(before.st_atime_ns, before.st_mtime_ns))
            os.kill(gateway.process.pid, signal.SIGHUP)
        body = {"model": "gpt", "input": "hello"}
        headers = {"authorization": f"Bearer {KEY}"}
        async with aiohttp.ClientSession(headers=headers) as session, asyncio.timeout(10):
            channel = ""
            while channel != "next":
                async with session.post(f"{gateway.url}/v1/responses", json=body) as answer:
                    channel = answer.headers["x-longwire-channel"]
                await asyncio.sleep(0.1)
        assert gateway.process.returncode is None
