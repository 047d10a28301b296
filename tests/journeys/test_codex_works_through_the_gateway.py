"""The real Codex CLI through a gateway to a Codex upstream: what works, and what strikes."""

import asyncio
import json

import pytest

from longwire.emulator import Fault, Script
from tests.journeys.codex import answer_of
from tests.journeys.conftest import become, leased, settings_of, websocket_channel

ROUNDS = 5
SHELL = Script(tool_rounds=ROUNDS, tool="exec_command", arguments='{"cmd":"echo hi"}')
USAGE_LIMIT = {"code": "usage_limit_reached", "status": 429, "shape": "j", "times": 0}
LATE = {"skip": 3}
INVISIBLE = {
    "connection limit": Fault(
        at="before_create",
        act="error",
        code="websocket_connection_limit_reached",
        status=400,
        **LATE,
    ),
    "forgotten": Fault(
        at="before_create", act="error", code="previous_response_not_found", status=400, **LATE
    ),
    "closed": Fault(at="after_create", act="close", code=1011, **LATE),
    "reset": Fault(at="after_create", act="reset", **LATE),
    "busy": Fault(at="before_create", act="error", code="slow_down", status=503, **LATE),
}
"""What strikes the fourth turn of a session."""


@pytest.fixture
def changes():
    """What the channel has beside its address."""
    return {}


@pytest.fixture
async def gateway(emulator, serve, tables, changes):
    """A gateway with one channel to the upstream's Codex route."""
    emulator.script = SHELL
    codex = {"type": "codex", "base_url": f"{emulator.url}/backend-api/codex", "handshake_rate": 0}
    channel = websocket_channel(emulator.url, **codex, **changes)
    return await serve(settings_of(emulator.url, channels=(channel,), **tables))


async def test_an_agents_loop_keeps_one_connection(codex, emulator, overheard):
    """Five tool rounds are one handshake, then only what is new, and the right answer."""
    ran = await codex.run("say hi")
    assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said
    assert "Reconnecting" not in ran.said
    continued = [turn.continued for turn in emulator.turns if not turn.warm_up]
    assert continued == [codex.websockets, *[True] * ROUNDS]
    assert emulator.counters.sockets_opened == 1
    assert overheard.agrees_with(emulator)
    outputs = [item for item in overheard.inputs()[-1] if item["type"] == "function_call_output"]
    assert len(outputs) == ROUNDS
    assert all("hi" in json.dumps(item["output"]) for item in outputs)


async def test_a_resumed_session_goes_on(codex, emulator, overheard):
    """A new process of the same session still continues on the gateway's connection."""
    emulator.script = Script(tool_rounds=0)
    await codex.run("say hi")
    ran = await codex.run("resume", "--last", "and again")
    assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said
    answered = [turn for turn in emulator.turns if not turn.warm_up]
    assert [turn.continued for turn in answered] == [codex.websockets, True]
    assert answered[0].connection == answered[1].connection
    assert overheard.agrees_with(emulator)


async def test_a_compaction_begins_a_new_chain(codex, emulator, overheard):
    """It rides on the old connection; the shorter history goes in full, and Codex loops nowhere."""
    codex.set('name = "Longwire"', 'name = "OpenAI"')
    codex.set('model = "gpt-5.5"', 'model = "gpt-5.5"\nmodel_auto_compact_token_limit = 10300')
    ran = await codex.run("say hi")
    assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said
    kinds = [items[-1]["type"] for items in overheard.inputs()]
    at = kinds.index("compaction_trigger")
    assert kinds.count("compaction_trigger") == 1
    assert overheard.inputs()[at + 1][-1]["type"] == "compaction"
    assert [turn.continued for turn in emulator.turns][at : at + 2] == [True, False]
    assert overheard.agrees_with(emulator)


@pytest.mark.parametrize("fault", INVISIBLE.values(), ids=INVISIBLE)
async def test_what_strikes_before_the_first_event_is_invisible(codex, emulator, overheard, fault):
    """In the midst of a session it costs a turn in full, and Codex says nothing of it."""
    emulator.faults.add(fault)
    ran = await codex.run("say hi")
    assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said
    assert "Reconnecting" not in ran.said
    assert emulator.faults.struck == 1
    assert overheard.agrees_with(emulator)


async def test_signed_in_with_chatgpt(codex, gateway, emulator, overheard, capfd):
    """Codex takes the gateway's models and side routes, and its token stays with the gateway."""
    token = codex.sign_in(gateway.url)
    ran = await codex.run("say hi")
    assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said
    assert "failed to refresh available models" not in ran.said, ran.said
    assert {"Reconnecting", "401", "502"}.isdisjoint(ran.said.split())
    assert {turn.fingerprint for turn in emulator.turns} == {"sk-upstream"[-4:]}
    assert overheard.agrees_with(emulator)
    assert token not in "".join(capfd.readouterr())


async def test_a_usage_limit_is_told_in_codexs_own_words(codex, emulator):
    """Codex knows what to say of a 429 by its type, and gives up at once."""
    emulator.faults.add(Fault(at="before_create", act="error", **USAGE_LIMIT))
    ran = await codex.run("say hi")
    assert ran.code != 0
    assert "usage limit" in ran.said.lower(), ran.said
    assert "Reconnecting" not in ran.said


async def test_an_upstream_that_stays_down_ends_the_run(codex, emulator):
    """Codex tries again as it is set to, then says why, and does not hang."""
    emulator.faults.add(
        Fault(at="before_create", act="error", code="server_error", status=503, times=0)
    )
    ran = await codex.run("say hi")
    assert ran.code != 0
    assert "503" in ran.said, ran.said


async def test_ctrl_c_leaves_nothing_behind(codex, gateway, emulator):
    """A run that is interrupted gives its connection back and leaves no turn under way."""
    emulator.script = Script(tool_rounds=0, deltas=2000, delta_bytes=16, delay_ms=20)
    process = await codex.begin("say hi")
    await become(lambda: any(not turn.warm_up for turn in emulator.turns), 30)
    codex.interrupt(process)
    ran = await codex.ended(process)
    assert ran.code != 0
    await become(lambda: leased(gateway) == 0)
    await become(lambda: emulator.counters.cancelled == 1)


class TestLargeHistories:
    @pytest.fixture
    def changes(self):
        """Both transports, for no frame holds 20 MB."""
        return {"transport": "auto"}

    async def test_twenty_megabytes_go_over_http(self, codex, emulator, overheard):
        """A session that outgrew the WebSocket's messages goes on over HTTP."""
        emulator.script = Script(tool_rounds=0)
        await codex.run("say hi")
        rollout = codex.rollout()
        text = await asyncio.to_thread(rollout.read_text)
        grown = text.replace("say hi", "say hi " + "and more " * 2_300_000)
        await asyncio.to_thread(rollout.write_text, grown)
        ran = await codex.run("resume", "--last", "and again")
        assert (ran.code, ran.answer) == (0, answer_of(emulator)), ran.said[-2000:]
        assert "Reconnecting" not in ran.said
        assert emulator.turns[-1].bytes_in > 20_000_000
        assert emulator.turns[-1].transport == "http"
        assert overheard.agrees_with(emulator)
