"""Several keys of a channel on the command line."""

import json

import pytest

from longwire.core.errors import InvalidFields, NotFound

FIRST, SECOND = "sk-planted-first-1111", "sk-planted-second-2222"


@pytest.fixture
def channel(command, monkeypatch):
    """A channel with one key."""
    monkeypatch.setenv("UPSTREAM_KEY", FIRST)
    command("channels", "add", "up", "--set", "api_key=${UPSTREAM_KEY}")
    return "up"


def _keys(command):
    return json.loads(command("channels", "keys", "list", "up", "--json"))


def test_the_whole_life_of_a_key(command, channel):
    """Added from stdin, weighed, disabled, enabled, removed; never shown."""
    assert "channels keys add up" in command("channels", "keys", "list", channel)
    added = command("channels", "keys", "add", channel, "--label", "b", stdin=f"{SECOND}\n")
    assert "…2222" in added
    assert SECOND not in added
    command("channels", "keys", "weigh", channel, "b", "3")
    command("channels", "keys", "disable", channel, "b")
    assert [(1.0, True), (3.0, False)] == [
        (key["weight"], key["is_enabled"]) for key in _keys(command)
    ]
    command("channels", "keys", "enable", channel, "b")
    assert "key: 2, …1111, …2222" in command("channels", "show", channel)
    steps = command("models", "why", "gpt-5.2")
    assert "up (…1111)" in steps
    assert "up (…2222 b)" in steps
    command("channels", "keys", "remove", channel, "b")
    assert [] == _keys(command)


def test_a_key_that_is_not_there_is_named(command, channel):
    """Neither the last key of a channel nor one that it has not can be removed."""
    with pytest.raises(NotFound, match="nobody"):
        command("channels", "keys", "remove", channel, "nobody")


def test_the_same_key_twice_is_refused(command, channel):
    """The refusal says which one, and what to do."""
    with pytest.raises(InvalidFields, match="keep one"):
        command("channels", "keys", "add", channel, stdin=f"{FIRST}\n")
