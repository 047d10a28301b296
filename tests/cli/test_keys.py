"""The life of a key on the command line."""

import asyncio
import json

import pytest

from longwire.cli.tables import time_text
from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.store.database import Database
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from tests.store.turn_rows import NOON, row


def _keys(command):
    return json.loads(command("keys", "list", "--json"))


def test_a_key_is_made_and_shown_once(command):
    """Its secret is the output of the command that makes it, and in no list."""
    sets = ["expires=30d", "models=gpt-5-*", "cost_per_day=1.5", "keeps_bodies=yes"]
    sets += ["shows_reasoning=yes"]
    words = [word for text in sets for word in ("--set", text)]
    secret = command("keys", "create", "ci", *words).strip()
    assert secret.startswith("lw_")
    (key,) = _keys(command)
    assert secret[10:] not in json.dumps(key)
    assert ("ci", secret[:10], "enabled") == (key["name"], key["prefix"], key["status"])
    assert 1.5 == key["grant"]["budgets"]["cost_per_day"]
    assert ["gpt-5-*"] == key["grant"]["models"]
    assert key["grant"]["keeps_bodies"]
    assert key["grant"]["shows_reasoning"]
    assert 30 * 86_400_000 == pytest.approx(key["expires_at"] - key["created_at"], abs=60_000)
    title, listed = command("keys", "list").splitlines()
    assert "last used" in title
    assert secret[10:] not in listed


def test_a_key_is_changed_rotated_and_revoked(command):
    """Each change counts; a rotation prints the new secret once, a revoked key is over."""
    first = command("keys", "create", "ci").strip()
    sets = ("name=cd", "requests_per_minute=5", "shows_reasoning=yes")
    command("keys", "edit", "ci", *(word for text in sets for word in ("--set", text)))
    (key,) = _keys(command)
    assert key["grant"]["shows_reasoning"]
    assert ("cd", 5) == (key["name"], key["grant"]["rates"]["requests_per_minute"])
    rotated = json.loads(command("keys", "rotate", "cd", "--overlap", "1h", "--json"))
    assert rotated["secret"] not in (first, "")
    assert rotated["key"]["previous_until"] is not None
    assert "revoked" in command("keys", "revoke", key["id"])
    with pytest.raises(Conflict, match="is revoked"):
        command("keys", "rotate", key["id"])
    with pytest.raises(NotFound, match="no API key 'cd'"):
        command("keys", "revoke", "cd")


def test_a_key_is_disabled_enabled_and_deleted_once_it_is_revoked(command):
    """By its name; of two of a name the revoked one alone can be deleted."""
    command("keys", "create", "ci")
    assert "ci: disabled" in command("keys", "disable", "ci")
    assert "enabled" == json.loads(command("keys", "enable", "ci", "--json"))["status"]
    with pytest.raises(Conflict, match="revoke it first"):
        command("keys", "delete", "ci")
    with pytest.raises(NotFound, match="'nope'"):
        command("keys", "delete", "nope")
    command("keys", "revoke", "ci")
    command("keys", "create", "ci")
    assert "ci: deleted\n" == command("keys", "delete", "ci")
    (key,) = _keys(command)
    assert "enabled" == key["status"]


def test_a_key_may_be_bound_to_channels_by_their_names(command):
    """Channels of the database are named, kept by id, and unknown ones refused."""
    command("channels", "add", "up", "--set", "api_key=sk")
    (channel,) = json.loads(command("channels", "list", "--json"))
    command("keys", "create", "ci", "--set", "channels=up,file:main")
    assert [channel["id"], "file:main"] == _keys(command)[0]["grant"]["channels"]
    with pytest.raises(InvalidFields, match="channels"):
        command("keys", "create", "cd", "--set", "channels=down")


def test_a_key_may_be_bound_to_channels_of_the_file_by_their_names(command, tmp_path):
    """They are kept by their ids, too, which are `file:` and the name."""
    file = tmp_path / "gateway.toml"
    file.write_text('[[channels]]\nname = "gem"\napi_key = "sk-planted"\n')
    command("keys", "create", "ci", "--set", "channels=gem", "--config", str(file))
    assert ["file:gem"] == _keys(command)[0]["grant"]["channels"]


@pytest.mark.parametrize("words", [("edit", "dev"), ("revoke", "dev"), ("rotate", "dev")])
def test_declared_keys_are_changed_in_the_file(command, tmp_path, words):
    """A command says where a declared key is changed."""
    text = '[[api_keys]]\nname = "dev"\nkey = "lw-declared"\n'
    (tmp_path / "longwire.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Conflict, match=r"'dev' is managed by .*longwire\.toml"):
        command("keys", *words)


def test_keys_of_one_name_are_told_apart_by_id(command):
    """A name that two keys have is no answer to which."""
    for _ in range(2):
        command("keys", "create", "ci")
    with pytest.raises(Conflict, match="2 keys are called 'ci'"):
        command("keys", "revoke", "ci")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("colour", "colour=red"),
        ("expires", "expires=soon"),
        ("expiresAt", "expires=2001-01-01"),
        ("projectID", "project=none"),
        ("budgets.tokensPerDay", "tokens_per_day=0"),
        ("cost_per_day", "cost_per_day=much"),
    ],
)
def test_bad_fields_are_told_and_nothing_is_made(command, field, text):
    """Each wrong field is named, and there is no key afterwards."""
    with pytest.raises(InvalidFields) as caught:
        command("keys", "create", "ci", "--set", text)
    assert [field] == [problem.field for problem in caught.value.problems]
    assert "no keys yet" in command("keys", "list")


def test_the_secret_key_is_rotated(command, tmp_path):
    """Everything is encrypted anew, and credentials can still be read."""
    command("channels", "add", "up", "--set", "api_key=sk-planted")
    (file,) = [*tmp_path.rglob("secret.key")]
    before = file.read_text(encoding="utf-8")
    assert "encrypted anew: 2 values" in command("keys", "rotate-secret")
    assert before != file.read_text(encoding="utf-8")
    assert "***" == json.loads(command("channels", "list", "--json"))[0]["credential"]


def test_limits_and_what_is_spent_are_listed(command):
    """Each with what it may have, and how much of its budgets is gone."""
    sets = ("requests_per_minute=60", "cost_per_day=2.5", "tokens_per_month=1000")
    command("keys", "create", "ci", *(word for text in sets for word in ("--set", text)))
    _, line = command("keys", "list").splitlines()
    for text in ("60 requests/min", "$0.00 of $2.50", "0 of 1,000 tokens", "  Default  "):
        assert text in line
    assert {"tokens": 0, "cost_usd": 0.0} == _keys(command)[0]["spent"]["today"]
    assert "$0.00 of $2.50" in command("keys", "show", "ci")


def test_a_second_key_of_a_name_is_warned_of(longwire, url):
    """It is made, and both ids are named; the refusal of an ambiguous name lists them, too."""
    assert "warning" not in longwire("keys", "create", "ci", **url).stderr
    made = longwire("keys", "create", "ci", **url)
    refused = longwire("keys", "rotate", "ci", **url)
    assert (0, 1) == (made.returncode, refused.returncode)
    for stderr in (made.stderr, refused.stderr):
        assert 2 == stderr[stderr.index("2 keys") :].splitlines()[0].count("key_")


def test_a_key_of_the_file_was_used_when_the_log_says(command, database_url, tmp_path):
    """Nothing is written of a key that stands in the file but its turns."""
    (tmp_path / "longwire.toml").write_text('[[api_keys]]\nname = "dev"\nkey = "lw-planted-key"\n')
    command("keys", "create", "ci")
    assert "never" in command("keys", "show", "dev")

    async def log():
        turns_database = Database(database_url)
        await Turns(turns_database, Vault((b"k" * 32,))).add(
            [row(0, NOON, key_id="file:dev"), row(1, NOON + 1_000, key_id="file:dev")]
        )
        await turns_database.close()

    asyncio.run(log())
    used = {each["name"]: each["last_used_at"] for each in _keys(command)}
    assert {"dev": NOON + 1_000, "ci": None} == used
    assert time_text(NOON + 1_000) in command("keys", "show", "dev")
