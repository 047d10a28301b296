"""Reasoning that came back through Messages or Chat Completions, and whose account is gone.

The numbers are those of the bugs that were reported of it: a session then failed for ever.
"""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from longwire.core.nouns.access import EVERYTHING
from longwire.core.rules.turn import Turn
from longwire.dialects.chat_completions.request import decode_request as decode_chat
from longwire.dialects.messages.request import decode_request as decode_message
from longwire.emulator import Emulator, Fault, Script, digest
from tests.journeys.two_upstreams import Reply, Stage, staged_before

SEALING = Script(tool_rounds=0)
PARAMETERS = {"type": "object", "properties": {}}
THINKING = {"type": "adaptive", "display": "summarized"}
WORDS = "The encrypted content gAAA…== could not be verified."
REFUSAL = {"type": "invalid_request_error", "param": None}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a client of an API asks, and what it keeps of an answer."""

    path: str
    members: dict[str, Any]
    decode: Callable[..., Turn]
    keep: Callable[[Any], dict[str, Any]]


MESSAGES = Dialect(
    "/v1/messages?beta=true",
    {
        "max_tokens": 4096,
        "thinking": THINKING,
        "tools": [{"name": "Read", "input_schema": PARAMETERS}],
    },
    decode_message,
    lambda answer: {"role": "assistant", "content": answer["content"]},
)
CHAT = Dialect(
    "/v1/chat/completions",
    {
        "reasoning": {"effort": "low"},
        "tools": [{"type": "function", "function": {"name": "read", "parameters": PARAMETERS}}],
    },
    decode_chat,
    lambda answer: answer["choices"][0]["message"],
)
DIALECTS = pytest.mark.parametrize("dialect", [MESSAGES, CHAT], ids=["messages", "chat"])
TRANSPORTS = pytest.mark.parametrize("transport", ["http", "websocket"])


@dataclass(slots=True)
class Session:
    """A client that resends its whole history, reasoning included as it came."""

    stage: Stage
    dialect: Dialect
    messages: list[Any] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    """What its last request means to a Responses upstream."""

    async def say(self, text: str) -> Reply:
        """Take a turn."""
        self.messages.append({"role": "user", "content": text})
        body = {"model": "gpt-5.5", "messages": self.messages, **self.dialect.members}
        turn = self.dialect.decode(json.dumps(body).encode(), {}, EVERYTHING)
        self.items = json.loads(turn.input or b"")
        headers = {"x-session-id": "s"}
        reply = await self.stage.call("POST", self.dialect.path, json=body, headers=headers)
        assert 200 == reply.status, reply.body
        self.messages.append(self.dialect.keep(reply.json))
        return reply


def sealed(items: list[Any]) -> list[Any]:
    """The items that one account alone can read."""
    return [item for item in items if item.get("encrypted_content")]


def way(reply: Reply) -> str:
    """How a turn travelled, and why."""
    names = ("x-longwire-continuity", "x-longwire-reason")
    return " ".join(filter(None, (reply.headers.get(name) for name in names)))


async def loses_its_reader(folder, dialect, transport, error):
    """A session of three accounts loses its own; the others refuse in these words.

    Both are tried, once each, then one is sent everything but what nobody can read.
    """
    async with AsyncExitStack() as stack:
        names = ("a", "b", "c")
        upstreams = {
            each: await stack.enter_async_context(Emulator(None, SEALING)) for each in names
        }
        channel = {"transport": transport}
        stage = await stack.enter_async_context(staged_before(folder, upstreams, channel=channel))
        session = Session(stage, dialect)
        first = await session.say("first")
        others = [each for name, each in upstreams.items() if name != first.channel]
        await without(stage, first.channel)
        for each in others:
            each.faults.add(Fault(at="before_create", act="error", status=400, body=error))
        second = await session.say("second")
        assert "fresh sealed_elsewhere" == way(second)
        assert [1, 1] == [each.faults.struck for each in others]
        turns = [turn for each in others for turn in each.turns]
        assert 1 == len([turn for turn in turns if turn.status == "completed"])
        shown = upstreams[second.channel].turns
        lost = sealed(session.items)
        assert lost
        assert digest([item for item in session.items if item not in lost]) == shown[-1].digest
        third = await session.say("third")
        usual = "fresh http_transport" if transport == "http" else "continued"
        assert (second.channel, usual) == (third.channel, way(third))
        kept = [item for item in session.items if item not in lost]
        assert sealed(kept)
        assert digest(kept) == shown[-1].digest
        assert [] == [problem for each in others for problem in each.violations]


async def without(stage: Stage, channel: str) -> None:
    """Start anew without a channel."""
    await stage.stop()
    channels = [each for each in stage.settings.channels if each.name != channel]
    stage.settings = stage.settings.model_copy(update={"channels": tuple(channels)})
    await stage.start()


@DIALECTS
@TRANSPORTS
async def test_case_16_a_key_that_is_gone_costs_its_reasoning_alone(tmp_path, dialect, transport):
    """The refusal has its code, whatever its words are."""
    error = {**REFUSAL, "code": "invalid_encrypted_content", "message": "No."}
    await loses_its_reader(tmp_path, dialect, transport, error)


@DIALECTS
@TRANSPORTS
async def test_case_17_the_refusal_is_known_without_a_code(tmp_path, dialect, transport):
    """It has words alone."""
    await loses_its_reader(
        tmp_path, dialect, transport, {**REFUSAL, "code": None, "message": WORDS}
    )


@DIALECTS
@TRANSPORTS
async def test_case_18_the_refusal_is_known_by_a_relay_that_drops_its_code(
    tmp_path, dialect, transport
):
    """It has words, and a number that means nothing."""
    await loses_its_reader(tmp_path, dialect, transport, {**REFUSAL, "code": 0, "message": WORDS})
