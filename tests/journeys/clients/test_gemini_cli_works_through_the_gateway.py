"""The real Gemini CLI through a gateway: its sessions stay on one warm connection."""

import json

import pytest

from longwire.emulator import Call, Script

ROUNDS = 3
SHELL = Call(tool="run_shell_command", arguments=json.dumps({"command": "echo hi"}))
READ = Call(tool="read_file", arguments=json.dumps({"file_path": "notes.txt"}))
TOOLS = Script(tool_rounds=ROUNDS, calls=(SHELL, READ))
QUESTION = [False, *[True] * ROUNDS]
"""The turns of a first question: all but the first continued."""

pytestmark = [pytest.mark.clients, pytest.mark.timeout(240)]


async def test_two_runs_of_one_session(gemini_cli, stage):
    """Each tool round sends what is new alone, and results that a resumed session repeats go once.

    Its first turn is fresh: it brings no signatures any more, and so no reasoning.
    """
    (gemini_cli.work / "notes.txt").write_text("notes ✓", encoding="utf-8")
    stage.emulator.script = TOOLS
    first = await gemini_cli.run("say hi")
    assert (0, stage.answer) == (first.code, first.result["response"]), first.errors
    assert QUESTION == stage.continued()
    second = await gemini_cli.run("and again", "--resume", "latest")
    assert (0, stage.answer) == (second.code, second.result["response"]), second.errors
    assert QUESTION * 2 == stage.continued()
    assert stage.said() == stage.seen()
