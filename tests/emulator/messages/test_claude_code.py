"""What Claude Code really sends is let in, and its moving marks hit the cache."""

import json
from pathlib import Path

import pytest

from longwire.core.nouns.access import EVERYTHING
from longwire.dialects.messages.request import decode_request
from longwire.emulator import digest, spoken
from longwire.emulator.messages.seals import REDACTED, sealed
from tests.dialects.messages.answers import items_of

FOLDER = Path(__file__).parents[2] / "fixtures" / "claude-code"
INDEX = {each["file"]: each for each in json.loads((FOLDER / "index.json").read_text("utf-8"))}
POSTED = [name for name, each in INDEX.items() if each["role"] != "probe"]
GONE_ON = ("threads/02.json", "threads/03.json")
KEY = "sk-test"
SAID_HERE_ALONE = ('"is_error": true', "__unparsedToolInput", "count_tokens")
"""What has no equal among items, and what is no turn."""


def is_said_alike(name):
    """Whether items can say all of a recorded request."""
    text = (FOLDER / name).read_text("utf-8")
    return name not in GONE_ON and not any(mark in text for mark in SAID_HERE_ALONE)


COMPARED = [name for name in POSTED if is_said_alike(name)]


def request_of(name):
    """A recorded request, with its thinking as if the emulator had signed it."""
    request = json.loads((FOLDER / name).read_text("utf-8"))
    for message in request["body"]["messages"]:
        for block in message["content"] if isinstance(message["content"], list) else ():
            if block["type"] == "thinking":
                block["signature"] = sealed(KEY, block["thinking"], name)
            elif block["type"] == "redacted_thinking":
                block["data"] = sealed(KEY, REDACTED, name)
    return request


async def send(it, name):
    """The status of a recorded request."""
    request = request_of(name)
    headers = {key.lower(): value for key, value in request["headers"]}
    sent = {key: headers[key] for key in headers if key.startswith(("anthropic-", "authorization"))}
    url = it.emulator.url + request["path"]
    async with it.session.post(url, json=request["body"], headers=sent) as answer:
        await answer.read()
        return answer.status


@pytest.mark.parametrize("name", POSTED)
async def test_recorded_request_is_let_in(claude, name):
    """Each one, of three versions; a thread that was begun elsewhere is not found."""
    async with claude() as it:
        assert (404 if name in GONE_ON else 200) == await send(it, name)
        assert [] == it.emulator.violations


@pytest.mark.parametrize("name", COMPARED)
async def test_gateway_reads_the_same_items(claude, name):
    """Two readers that share no code agree on what the model sees, failed results aside."""
    request = request_of(name)
    headers = {key.lower(): value for key, value in request["headers"]}
    turn = decode_request(json.dumps(request["body"]).encode(), headers, EVERYTHING)
    async with claude() as it:
        await send(it, name)
        assert digest(spoken(items_of(turn))) == it.emulator.turns[-1].digest


async def test_moving_marks_hit_the_cache(claude):
    """From turn to turn all that was marked before is read, and the digests differ."""
    async with claude() as it:
        for number in range(1, 5):
            await send(it, f"tools-1/0{number}.json")
        first, *rest = it.emulator.turns
        assert 0 == first.cached_tokens
        before = [turn.input_tokens for turn in it.emulator.turns][:-1]
        assert all(0.9 * size < turn.cached_tokens for size, turn in zip(before, rest, strict=True))
        assert 4 == len({turn.digest for turn in it.emulator.turns})
