"""The life of a channel on the command line."""

import asyncio
import json

import pytest

from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.emulator import Emulator, Options

PLANTED = "sk-planted"
DECLARED = """
[[channels]]
name = "declared"
api_key = "sk-planted-too"
base_url = "http://127.0.0.1:1/v1"
"""


def _one(command, name="up"):
    (channel,) = [c for c in json.loads(command("channels", "list", "--json")) if c["name"] == name]
    return channel


@pytest.fixture
def added(command, monkeypatch):
    """A channel with every field set; its key came from the environment."""
    monkeypatch.setenv("UPSTREAM_KEY", PLANTED)
    sets = {
        "api_key": "${UPSTREAM_KEY}",
        "base_url": "https://up/v1",
        "transport": "websocket",
        "models": "gpt-5.2, gpt-5-*",
        "renames": "fast=gpt-5.2",
        "tags": "team,eu",
        "weight": "2.5",
        "proxy": "http://u:planted@proxy:80",
        "tls_verify": "no",
        "headers": "x-team=planted-value",
        "requests_per_minute": "60",
        "concurrent_turns": "",
        "native_items": "configuration_update",
        "apis": "responses, messages",
        "profile": "generic",
        "unsupported": "drop",
        "threads": "yes",
        "prices": "gpt-5.2 input=1.25 cached=0.125 output=10 >200000 input=2.5 output=15",
        "endpoints": "responses transport=http path=/r, messages",
    }
    words = [word for name, value in sets.items() for word in ("--set", f"{name}={value}")]
    return command("channels", "add", "up", *words)


def test_a_channel_is_added_with_every_field(command, added):
    """What is set is kept, secrets are not told, and no terminal is asked for anything."""
    assert added.startswith("up: enabled, http, ch_")
    channel = _one(command)
    assert {
        "credential": "***",
        "models": ["gpt-5.2", "gpt-5-*"],
        "renames": [["fast", "gpt-5.2"]],
        "tags": ["team", "eu"],
        "weight": 2.5,
        "proxy": "***",
        "tls_verify": False,
        "headers": [["x-team", "***"]],
        "native_items": ["configuration_update"],
        "apis": ["responses", "messages"],
        "profile": "generic",
        "unsupported": "drop",
        "threads": True,
    }.items() <= channel.items()
    assert {"requests_per_minute": 60, "concurrent_turns": None}.items() <= channel["rates"].items()
    (price,) = channel["prices"]
    (tier,) = price["tiers"]
    assert ("gpt-5.2", 1.25, 0.125, None, 10.0) == tuple(
        price[name] for name in ("model", "input", "cached", "cache_write", "output")
    )
    assert (200_000, 2.5, 15.0) == (tier["above"], tier["input"], tier["output"])
    assert ["/r", ""] == [each["path"] for each in channel["endpoints"]]
    assert "planted" not in json.dumps(channel)


def test_a_channel_changes_and_goes(command, added):
    """Edited, switched off and on, archived and removed; each time it is what was said last."""
    command("channels", "edit", "up", "--set", "weight=3", "--set", "name=down")
    assert 3 == _one(command, "down")["weight"]
    assert "disabled" in command("channels", "disable", "down")
    assert "enabled" in command("channels", "enable", "down")
    assert "archived" in command("channels", "archive", "down", "--json")
    assert "no channels yet" in command("channels", "list")
    assert "enabled" in command("channels", "enable", "down")
    assert "removed down\n" == command("channels", "remove", "down")
    with pytest.raises(NotFound, match="no channel 'down'"):
        command("channels", "edit", "down")


def test_a_new_key_comes_from_stdin(command):
    """A key is read from stdin, so that it is in no list of processes."""
    command("channels", "add", "up", "--api-key-stdin", stdin=f"{PLANTED}\n")
    assert "***" == _one(command)["credential"]
    command("channels", "edit", "up", "--api-key-stdin", stdin="sk-new\n")
    assert 2 == _one(command)["revision"]


@pytest.mark.parametrize(
    ("sets", "fields"),
    [
        (["colour=red"], ["colour"]),
        (["weight"], ["weight"]),
        (["weight=heavy", "tls_verify=maybe"], ["weight", "tls_verify"]),
        (["renames=fast"], ["renames"]),
        (["endpoints=responses colour=red"], ["endpoints"]),
        (["api_key=${NOT_SET}"], ["api_key"]),
        (["weight=0", "base_url=x", "api_key=k"], ["weight", "baseURL"]),
        (["weight=1"], ["apiKey"]),
        (["threads=yes", "api_key=k"], ["threads"]),
        (["apis=messages", "transport=websocket", "api_key=k"], ["transport"]),
        (["quirks={a", "api_key=k"], ["quirks"]),
        (["quirks=colour=red", "api_key=k"], ["quirks.0"]),
        (["profile=depseek", "api_key=k"], ["profile"]),
        (["prices=gpt-5 1.25", "api_key=k"], ["prices"]),
        (["prices=gpt-5 input=1 output=2 input=4", "api_key=k"], ["prices"]),
        (["prices=gpt-5 input=1 output=2 >many input=1 output=2", "api_key=k"], ["prices"]),
        (["prices=gpt-5 input=1e-10 output=2", "api_key=k"], ["prices.0.input"]),
        (["prices=gpt-5 input=much output=1", "api_key=k"], ["prices"]),
        (["prices=gpt-5 input=-1 output=1", "api_key=k"], ["prices.0.input"]),
    ],
)
def test_bad_fields_are_told_and_nothing_is_added(command, sets, fields):
    """Each wrong field is named, with the mend, and there is no channel afterwards."""
    words = [word for text in sets for word in ("--set", text)]
    with pytest.raises(InvalidFields) as caught:
        command("channels", "add", "up", *words)
    assert fields == [problem.field for problem in caught.value.problems]
    assert [] == json.loads(command("channels", "list", "--json"))


@pytest.mark.parametrize(
    ("field", "mend"),
    [
        ('quirks=max_output={"*": 1, "b": 3}', r"JSON as in \{.max_output"),
        ("prices=gpt input=1", "output is missing; write prices as in"),
        ("weight=heavy", "write a number, as in 2 or 0.5"),
        ("requests_per_minute=many", "write a whole number, as in 3"),
    ],
)
def test_a_field_that_cannot_be_read_names_its_own_form(command, field, mend):
    """The example is one of the field that is wrong."""
    with pytest.raises(InvalidFields, match=mend):
        command("channels", "add", "up", "--set", field)


def test_a_channel_shows_what_its_models_cost(command, added):
    """Each model with the price that counts, and whether it was configured or is bundled."""
    command("channels", "edit", "up", "--set", "models=gpt-5.2,gpt-5,nobody-knows")
    rows = [line.split() for line in command("channels", "show", "up").splitlines()]
    assert ["gpt-5.2", "1.25", "0.125", "1.25", "10", "configured"] in rows
    assert ["gpt-5", "1.25", "0.125", "1.25", "10", "bundled"] in rows
    assert ["nobody-knows", "–", "–", "–", "–", "unknown"] in rows
    assert ["fast", "1.25", "0.125", "1.25", "10", "configured"] in rows


def test_a_preset_sets_what_a_vendor_needs(command):
    """Type, APIs and addresses are the vendor's, what is set wins; `show` has each URL."""
    words = ("--preset", "deepseek", "--set", "api_key=sk", "--set", "unsupported=drop")
    command("channels", "add", "up", *words)
    lines = command("channels", "show", "up").splitlines()
    assert "up: openai, enabled, ch_" == lines[0][:24]
    assert ["chat_completions", "http", "https://api.deepseek.com/v1/chat/completions"] in [
        line.split() for line in lines
    ]
    assert ["messages", "http", "https://api.deepseek.com/anthropic/v1/messages"] in [
        line.split() for line in lines
    ]
    assert "drop" == _one(command)["unsupported"]
    assert "profile deepseek, by name" in lines
    assert '  reasoning = "reasoning_content"' in lines
    command("channels", "edit", "up", "--set", "profile=", "--set", "quirks=reasoning=reasoning")
    lines = command("channels", "show", "up").splitlines()
    assert "profile deepseek, by its host" in lines
    assert '  reasoning = "reasoning" (overridden)' in lines
    with pytest.raises(InvalidFields, match="still has YOUR-RESOURCE; write your own"):
        command("channels", "add", "down", "--preset", "azure", "--set", "api_key=sk")
    with pytest.raises(InvalidFields, match="known are openai, azure, anthropic"):
        command("channels", "add", "down", "--preset", "nobody")


def test_a_name_that_is_taken_is_refused(command, added):
    """Two channels cannot have one name."""
    with pytest.raises(Conflict, match="'up' already"):
        command("channels", "add", "up", "--set", "api_key=sk")


@pytest.mark.parametrize(
    "words",
    [
        ("add", "declared", "--set", "api_key=k"),
        ("edit", "declared", "--set", "weight=2"),
        ("edit", "up", "--set", "name=declared"),
        ("disable", "declared"),
        ("remove", "declared"),
    ],
)
def test_declared_channels_are_changed_in_the_file(command, added, tmp_path, words):
    """A command says where a declared channel is changed, and gives its name to no other."""
    (tmp_path / "longwire.toml").write_text(DECLARED, encoding="utf-8")
    with pytest.raises(Conflict, match=r"'declared' is managed by .*longwire\.toml"):
        command("channels", *words)
    assert 1 == _one(command, "declared")["weight"]


def test_declared_channels_are_listed(command, tmp_path):
    """What the file declares is in the list, as managed by it; an error is one line."""
    (tmp_path / "longwire.toml").write_text(DECLARED, encoding="utf-8")
    title, row = command("channels", "list").splitlines()
    assert ["channel", "type"] == title.split()[:2]
    assert ["declared", "openai", "auto", "http://127.0.0.1:1/v1", "*", "enabled", "file"] == (
        row.split()
    )


@pytest.fixture
async def upstream():
    async with Emulator(Options()) as running:
        yield running


async def test_a_channel_is_tried(longwire, url, upstream):
    """`test` takes two turns and says how; it fails with code 1 and the reason."""
    sets = ["--set", f"base_url={upstream.url}/v1", "--set", "api_key=sk"]
    run = asyncio.to_thread
    await run(longwire, "channels", "add", "up", *sets, **url)
    tried = await run(longwire, "channels", "test", "up", "--model", "gpt-5.2", **url)
    assert (0, 1) == (tried.returncode, tried.stderr.count("\n"))
    assert tried.stdout.startswith("up: websocket in responses with gpt-5.2: handshake ")
    assert "second turn continued" in tried.stdout
    healthy = await run(longwire, "doctor", **url)
    assert 0 == healthy.returncode
    assert {"ok"} == {line.split()[0] for line in healthy.stdout.splitlines()}
    assert "ok   channel up: websocket in responses" in healthy.stdout
    await run(longwire, "channels", "edit", "up", "--set", "base_url=http://127.0.0.1:1/v1", **url)
    failed = await run(longwire, "channels", "test", "up", "--model", "gpt", "--json", **url)
    assert 1 == failed.returncode
    assert "127.0.0.1:1" in json.loads(failed.stdout)["error"]
    ill = await run(longwire, "doctor", **url)
    assert 1 == ill.returncode
    assert "FAIL channel up: failed in responses: " in ill.stdout
