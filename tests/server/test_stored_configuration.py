"""A gateway takes over what its store holds, and changes of it, while it serves."""

from dataclasses import replace

import aiohttp
import asyncpg
import pytest

from longwire.core.errors import ConfigurationError, InvalidFields
from longwire.core.nouns.access import ApiKey, Grant, Role
from longwire.core.nouns.channel import ChannelSpec, Status
from longwire.core.nouns.people import User
from longwire.core.nouns.secret import Secret
from longwire.processes import prepared
from longwire.settings import Settings
from longwire.store.database import Database
from longwire.store.migrate import migrate
from longwire.store.rotation import rotate_secret
from longwire.store.store import open_store
from longwire.store.turn_filter import TurnFilter
from tests.conftest import serving
from tests.databases import drop_postgresql_database, name_of

PASSWORD = Secret("correct horse")


@pytest.fixture
async def gateway(store, database_url, tmp_path):
    """A gateway that knows nothing but its store, in which nothing is yet."""

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    async with serving(Settings(), opens) as running:
        yield running


@pytest.fixture
async def key(store, actor):
    """A stored key, with its secret."""
    draft = ApiKey("", "ci", "", b"", Grant(project_id="prj_default"))
    return await store.keys.create(draft, actor)


@pytest.fixture
def spec(emulator):
    """A channel to the upstream, to be stored."""
    base_url, credential = f"{emulator.url}/v1", Secret("sk-upstream")
    return ChannelSpec("", "stored", base_url=base_url, credential=credential)


@pytest.fixture
async def stored(store, spec, actor):
    """The channel, stored."""
    return await store.channels.create(spec, actor)


async def _ask(gateway, secret, **headers):
    """Ask once; return the status and the name of the channel or the code of the error."""
    given = {"authorization": f"Bearer {secret.reveal()}", **headers}
    body = {"model": "gpt", "input": "hello"}
    async with (
        aiohttp.ClientSession(headers=given) as session,
        session.post(f"{gateway.url}/v1/responses", json=body) as answer,
    ):
        told = await answer.json()
        code = told["error"]["code"] if answer.status >= 400 else ""
        return answer.status, answer.headers.get("x-longwire-channel", code)


async def test_channels_and_keys_are_taken_over_while_it_serves(gateway, store, key, spec, actor):
    """What somebody else changes in the database counts without a restart."""
    reconciler = gateway.app.reconciler
    await reconciler.look()
    assert (404, "model_not_found") == await _ask(gateway, key.secret)
    made = await store.channels.create(spec, actor)
    await reconciler.look()
    assert (200, "stored") == await _ask(gateway, key.secret)
    renamed = await store.channels.update(replace(made, name="renamed"), actor)
    await reconciler.look()
    assert (200, "renamed") == await _ask(gateway, key.secret)
    off = replace(renamed, status=Status.DISABLED)
    await store.channels.update(off, actor)
    await reconciler.look()
    assert (404, "model_not_found") == await _ask(gateway, key.secret)
    await store.keys.revoke(key.key.id, 1, actor)
    await reconciler.look()
    assert (401, "invalid_api_key") == await _ask(gateway, key.secret)


async def test_a_rotation_of_the_secret_key_disturbs_no_gateway(
    gateway, store, stored, key, actor, tmp_path
):
    """What is changed after it, with the new key, is taken over without a restart."""
    await gateway.app.reconciler.look()
    await rotate_secret(store.database, Secret(""), tmp_path / "secret.key")
    await store.channels.update(replace(stored, name="renamed"), actor)
    await gateway.app.reconciler.look()
    assert (200, "renamed") == await _ask(gateway, key.secret)


async def test_a_key_is_revoked_though_no_channel_can_be_read(
    gateway, store, stored, key, actor, tmp_path
):
    """With the secret key lost, keys are still taken back; with the key back, channels go on."""
    reconciler, file = gateway.app.reconciler, tmp_path / "secret.key"
    await reconciler.look()
    await rotate_secret(store.database, Secret(""), file)
    kept = file.read_text(encoding="utf-8")
    file.unlink()
    await store.keys.revoke(key.key.id, 1, actor)
    await reconciler.look()
    assert (401, "invalid_api_key") == await _ask(gateway, key.secret)
    assert "cannot be opened" in reconciler.problem
    file.write_text(kept, encoding="utf-8")
    await reconciler.look()
    assert "" == reconciler.problem


async def test_a_channel_that_cannot_run_holds_up_nothing_else(
    gateway, store, key, spec, actor, tmp_path
):
    """A bad CA file is told, the channel stays as it was, and other changes are taken over."""
    reconciler = gateway.app.reconciler
    made = await store.channels.create(spec, actor)
    await reconciler.look()
    bad = str(tmp_path / "none.pem")
    broken = await store.channels.update(replace(made, tls_ca=bad), actor)
    await store.channels.create(replace(spec, name="broken", tls_ca=bad), actor)
    with pytest.raises(ConfigurationError, match=r"none\.pem"):
        await reconciler.refresh()
    assert "none.pem" in reconciler.problem
    assert (200, "stored") == await _ask(gateway, key.secret)
    await store.keys.revoke(key.key.id, 1, actor)
    await reconciler.look()
    assert (401, "invalid_api_key") == await _ask(gateway, key.secret)
    await store.channels.update(replace(broken, tls_ca=""), actor)
    other = await store.channels.find("broken")
    await store.channels.delete(other.id, other.revision, actor)
    await reconciler.look()
    assert "" == reconciler.problem


async def test_it_starts_with_a_channel_that_cannot_run(
    store, key, spec, actor, tmp_path, database_url
):
    """What was broken while it was down is left out and said; the rest serves."""
    await store.channels.create(replace(spec, name="broken", tls_ca="/none.pem"), actor)
    await store.channels.create(spec, actor)

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    async with serving(Settings(), opens) as gateway:
        assert (200, "stored") == await _ask(gateway, key.secret)
        assert "/none.pem" in gateway.app.reconciler.problem


async def test_every_turn_is_kept(store, key, spec, actor, database_url, tmp_path):
    """A turn is in the log with its key, its channel and what it cost, and the key was used."""
    made = await store.channels.create(spec, actor)

    async def opens():
        return await open_store(database_url, Secret(""), tmp_path / "secret.key")

    async with serving(Settings(), opens) as gateway:
        assert (200, "stored") == await _ask(gateway, key.secret, **{"x-request-id": "mine"})
    (row,) = (await store.turns.page(TurnFilter(key_id=key.key.id))).items
    told = (row.request_id, row.project_id, row.channel_id, row.channel_name, row.outcome)
    assert ("mine", "prj_default", made.id, "stored", "completed") == told
    assert row.input_tokens > 0
    assert row.bytes_sent > 0
    assert (await store.keys.get(key.key.id)).last_used_at is not None


async def test_a_first_start_has_a_token_until_there_is_an_owner(store, database_url, tmp_path):
    """Each start gives another token; once somebody can sign in there is none."""
    secret_key = (tmp_path / "secret.key").read_text(encoding="utf-8")
    settings = Settings(database={"url": database_url, "secret_key": secret_key})
    first, second = [await prepared(settings) for _ in range(2)]
    ada = User("", "ada@example.org", "", Role.VIEWER)
    with pytest.raises(InvalidFields, match="token"):
        await store.invitations.accept(first.reveal(), ada, PASSWORD)
    made = await store.invitations.accept(second.reveal(), ada, PASSWORD)
    assert Role.OWNER == made.role
    assert await prepared(settings) is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_database_that_goes_away_stops_no_turn(
    gateway, stored, key, database_url, postgresql_server
):
    """Turns go on with what is known, and what cannot be read is said; the gateway stays up."""
    reconciler = gateway.app.reconciler
    await reconciler.look()
    assert (200, stored.name) == await _ask(gateway, key.secret)
    await drop_postgresql_database(postgresql_server, database_url)
    await reconciler.look()
    assert "the database cannot be read" in reconciler.problem
    assert (200, "stored") == await _ask(gateway, key.secret)
    assert gateway.app.control.backlog[0] > 0
    await _recreate(postgresql_server, database_url)
    await reconciler.look()
    assert "the database cannot be read" not in reconciler.problem


async def _recreate(server, url):
    """Bring an empty database back under its name, with the tables."""
    connection = await asyncpg.connect(server)
    await connection.execute(f'CREATE DATABASE "{name_of(url)}"')
    await connection.close()
    database = Database(url)
    await migrate(database)
    await database.close()
