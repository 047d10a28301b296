import os
import stat

import pytest

from longwire.core.errors import ConfigurationError
from longwire.core.nouns.access import digest_with
from longwire.core.nouns.secret import Secret
from longwire.store.secrets import (
    Vault,
    decode_master_keys,
    encode_master_keys,
    new_api_key,
    new_master_key,
    prefix_of,
    read_master_keys,
    write_master_keys,
)

PLACE = "channels.credential:ch_1"


def test_what_is_sealed_opens_in_its_place_alone():
    """A sealed value moved to another row or column does not open there."""
    vault = Vault((new_master_key(),))
    sealed = vault.seal(b"sk-planted", PLACE)
    assert b"sk-planted" == vault.open(sealed, PLACE)
    with pytest.raises(ConfigurationError, match=r"channels\.credential in the database cannot"):
        vault.open(sealed, "channels.credential:ch_2")


def test_a_sealed_value_tells_nothing():
    """Neither the text nor its likeness to another can be read from what is kept."""
    vault = Vault((new_master_key(),))
    first, second = vault.seal(b"sk-planted", PLACE), vault.seal(b"sk-planted", PLACE)
    assert first != second
    assert b"sk-planted" not in first


@pytest.mark.parametrize("at", [0, 5, 20, -1])
def test_a_changed_value_is_refused(at):
    """A single changed bit, anywhere, is noticed."""
    vault = Vault((new_master_key(),))
    sealed = bytearray(vault.seal(b"sk-planted", PLACE))
    sealed[at] ^= 1
    with pytest.raises(ConfigurationError, match="cannot be opened with this secret key"):
        vault.open(bytes(sealed), PLACE)


def test_older_keys_still_open():
    """After a new key is put first, what the old one sealed can be read, and is told apart."""
    old, new = new_master_key(), new_master_key()
    sealed = Vault((old,)).seal(b"sk-planted", PLACE)
    both = Vault((new, old))
    assert b"sk-planted" == both.open(sealed, PLACE)
    assert not both.is_current(sealed)
    assert both.is_current(both.seal(b"sk-planted", PLACE))


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path):
    """The first start writes a key file with mode 0600, the next ones read it."""
    path = tmp_path / "data" / "secret.key"
    keys = read_master_keys(Secret(""), path)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert keys == read_master_keys(Secret(""), path)
    assert [path.name] == os.listdir(path.parent)  # noqa: PTH208 - no file is left beside it


def test_a_second_writer_does_not_replace_the_key(tmp_path):
    """Two processes that start at once agree on the key of the one that was first."""
    path = tmp_path / "secret.key"
    first = (new_master_key(),)
    write_master_keys(first, path)
    write_master_keys((new_master_key(),), path)
    assert first == read_master_keys(Secret(""), path)


def test_a_key_from_the_configuration_wins(tmp_path):
    """With a key given, no file is read or made; several are taken in their order."""
    keys = (new_master_key(), new_master_key())
    given = Secret(",".join(encode_master_keys(keys).split()))
    assert keys == read_master_keys(given, tmp_path / "secret.key")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "short", "ä", "A" * 44, "not base64!" * 4])
def test_what_is_no_key_is_refused(text):
    """A wrong key names its place and how to make a right one."""
    with pytest.raises(ConfigurationError, match=r"^here: .*openssl rand -base64 32"):
        decode_master_keys(text, "here")


def test_secrets_are_not_shown():
    """Nothing that is printed or logged by its repr shows a key."""
    key = new_master_key()
    text = repr((Vault((key,)), digest_with(key), new_api_key()))
    assert "lw_" not in text
    assert repr(key) not in text


def test_api_keys_differ_and_show_their_beginning():
    """An API key has 32 random bytes, of which seven characters at most are shown."""
    first, second = new_api_key().reveal(), new_api_key().reveal()
    assert first != second
    assert first.startswith(prefix_of(first))
    assert 10 == len(prefix_of(first))
    assert len(first) >= 46
