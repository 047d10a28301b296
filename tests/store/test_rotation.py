from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from longwire.core.errors import ConfigurationError
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.override import Override
from longwire.core.nouns.secret import Secret
from longwire.store.channels import Channels
from longwire.store.log_tables import turn_bodies
from longwire.store.rotation import rotate_secret
from longwire.store.rows import columns_of
from longwire.store.secrets import Vault, encode_master_keys, new_master_key, read_master_keys
from longwire.store.tables import channels, keyring

TEXT = b"planted"
TEAM = Override("set", header="x-team", header_value=Secret("blue"))
EFFORT = Override("set", "reasoning.effort", value='"low"')


@pytest.fixture
def path(tmp_path):
    return tmp_path / "secret.key"


async def _fill(database, vault, bodies=450):
    rows = [
        {
            "id": number,
            "request": vault.seal(TEXT, f"turn_bodies.request:{number}"),
            "response": b"",
        }
        for number in range(1, bodies + 1)
    ]
    async with database.write() as connection:
        sealed = vault.seal(TEXT, "keyring.sealed:pepper")
        await connection.execute(insert(keyring).values(name="pepper", sealed=sealed))
        await connection.execute(insert(turn_bodies), rows)


async def _opened(database, vault):
    async with database.read() as connection:
        pepper = await connection.scalar(select(keyring.c.sealed))
        rows = (await connection.execute(select(turn_bodies.c.id, turn_bodies.c.request))).all()
    bodies = {vault.open(sealed, f"turn_bodies.request:{number}") for number, sealed in rows}
    return {vault.open(pepper, "keyring.sealed:pepper")} | bodies


async def test_everything_is_sealed_anew(database, path):
    """After a rotation the newest key alone opens everything; empty values stay empty."""
    await _fill(database, Vault(read_master_keys(Secret(""), path)))
    assert 451 == await rotate_secret(database, Secret(""), path)
    newest = Vault(read_master_keys(Secret(""), path)[:1])
    assert {TEXT} == await _opened(database, newest)


async def test_the_values_of_overrides_are_sealed_anew(database, path, actor, clock):
    """Those of headers are sealed within a column of JSON; one in clear is sealed, too."""
    spec = ChannelSpec("", "up", credential=Secret("sk"), overrides=(TEAM, EFFORT))
    made = await Channels(database, Vault(read_master_keys(Secret(""), path)), clock).create(
        spec, actor
    )
    clear = {**columns_of(TEAM, "header_value"), "value": "red"}
    async with database.write() as connection:
        rows = await connection.scalar(select(channels.c.overrides))
        await connection.execute(update(channels).values(overrides=[*rows, clear]))
    assert 3 == await rotate_secret(database, Secret(""), path)
    newest = Vault(read_master_keys(Secret(""), path)[:1])
    read = await Channels(database, newest, clock).get(made.id)
    assert (TEAM, EFFORT, replace(TEAM, header_value=Secret("red"))) == read.overrides
    async with database.read() as connection:
        assert "red" not in str(await connection.scalar(select(channels.c.overrides)))


async def test_the_key_before_stays_readable_once(database, path):
    """Gateways that run meanwhile can still be read; the rotation after that drops their key."""
    (first,) = read_master_keys(Secret(""), path)
    await _fill(database, Vault((first,)))
    await rotate_secret(database, Secret(""), path)
    second, before = read_master_keys(Secret(""), path)
    assert first == before
    await rotate_secret(database, Secret(""), path)
    assert second == read_master_keys(Secret(""), path)[1]
    assert 2 == len(read_master_keys(Secret(""), path))


async def test_a_vault_in_use_reads_the_new_key_from_its_file(database, path):
    """What a rotation sealed is opened by who began before it, and what they seal is new, too."""
    vault = Vault(read_master_keys(Secret(""), path), path)
    await _fill(database, vault, bodies=1)
    await rotate_secret(database, Secret(""), path)
    assert {TEXT} == await _opened(database, vault)
    newest = Vault(read_master_keys(Secret(""), path)[:1])
    assert newest.is_current(vault.seal(TEXT, "x"))


@pytest.mark.parametrize("text", [None, "no key", "\udcff"], ids=["gone", "damaged", "no text"])
async def test_a_key_file_that_went_bad_is_told_like_a_wrong_key(path, text):
    """What cannot be opened is told with the mend; the keys that were known stay, none is made."""
    vault = Vault(read_master_keys(Secret(""), path), path)
    sealed, foreign = vault.seal(TEXT, "a"), Vault((new_master_key(),)).seal(TEXT, "a")
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ConfigurationError, match="bring back the key"):
        vault.open(foreign, "a")
    assert TEXT == vault.open(sealed, "a")
    assert path.exists() is (text is not None)


async def test_a_key_from_the_configuration_is_rotated_there(database, path):
    """A new key written before the old one in the configuration is taken over by the data."""
    old, new = new_master_key(), new_master_key()
    await _fill(database, Vault((old,)), bodies=1)
    given = Secret(encode_master_keys((new, old)))
    assert 2 == await rotate_secret(database, given, path)
    assert {TEXT} == await _opened(database, Vault((new,)))
    assert 0 == await rotate_secret(database, given, path)
    assert not path.exists()


async def test_what_no_key_opens_stops_the_rotation(database, path):
    """With a value that cannot be read nothing is sealed anew, and no key is lost."""
    (key,) = read_master_keys(Secret(""), path)
    vault = Vault((key,))
    await _fill(database, vault, bodies=1)
    foreign = Vault((new_master_key(),)).seal(TEXT, "turn_bodies.request:9")
    async with database.write() as connection:
        await connection.execute(insert(turn_bodies).values(id=9, request=foreign, response=b""))
    with pytest.raises(ConfigurationError, match=r"turn_bodies\.request in the database"):
        await rotate_secret(database, Secret(""), path)
    assert key in read_master_keys(Secret(""), path)
    async with database.read() as connection:
        sealed = await connection.scalar(select(keyring.c.sealed))
    assert vault.is_current(sealed)
