"""Who follows a how-to from its first command to its last one gets what it shows.

Law: a page is run as it stands, by one shell in a home of its own, with the real clients. All that
is changed of it is where upstreams are, which emulators play, their keys, and the port.
"""

import asyncio
import json
import os
import re
import shlex
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from longwire.emulator import Call, Emulator, Options, Script
from tests.docs.test_readme import FENCE, ROOT
from tests.doubles.reverse_proxies import free_port
from tests.journeys import codex
from tests.journeys.clients import claude_code, installing

PAGES = ("claude-code-with-any-model", "codex-with-any-model", "local-models", "openrouter")
PRESET = re.compile(r"--preset ([\w-]+)")
UNKNOWN = re.compile(r"export (\w+)=…")
VENDORS = {"deepseek", "ollama", "openrouter", "vllm"}
"""The presets that the emulator has an own form of Chat Completions for."""
HI = (
    Call(tool="Bash", arguments=json.dumps({"command": "echo hi", "description": "Say hi"})),
    Call(tool="exec_command", arguments=json.dumps({"cmd": "echo hi"})),
)
SERVE = """\
longwire serve >served 2>&1 & gateway=$!
trap 'kill $gateway; wait $gateway' EXIT
until grep -q serves served; do kill -0 $gateway; sleep 0.1; done; cat served
"""
LOGGED = "sleep 2; longwire turns tail"
"""Turns stand in the log a moment after they end."""
PATIENCE = 150

pytestmark = [pytest.mark.clients, pytest.mark.timeout(PATIENCE + 30)]


@pytest.fixture
async def upstreams():
    """A function: the base URL of an upstream that is as the vendor of a preset is."""
    async with AsyncExitStack() as stack:
        running = {}

        async def start(preset):
            if preset not in running:
                vendor = preset if preset in VENDORS else "openai"
                emulator = Emulator(Options(chat_vendor=vendor), Script(tool_rounds=1, calls=HI))
                running[preset] = await stack.enter_async_context(emulator)
            return f"{running[preset].url}/v1"

        yield start
        assert [] == [line for emulator in running.values() for line in emulator.violations]


@pytest.fixture
def reader(tmp_path):
    """The environment of somebody with both clients, Longwire, and nothing else."""
    programs, work = tmp_path / "bin", tmp_path / "work"
    programs.mkdir()
    work.mkdir()
    installing.run(installing.program("git"), "init", "--quiet", at=work)
    (programs / "codex").symlink_to(codex.installed())
    script = installing.claude_code(claude_code.VERSION)
    command = shlex.join([installing.program("node"), str(script)])
    (programs / "claude").write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    (programs / "claude").chmod(0o755)
    longwire = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join((str(programs), longwire, os.environ["PATH"])),
        "HOME": str(tmp_path),
        "LONGWIRE_SERVER__PORT": str(free_port()),
        "LONGWIRE_SERVER__LAME_DUCK": "0s",
        "LONGWIRE_FLEET__NODE": "gateway",
        "IS_SANDBOX": "1",  # lets root run Claude Code's tools
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "NO_PROXY": "127.0.0.1",
    }


async def commands_of(page, upstreams, port):
    """All commands of a page, for a shell."""
    blocks = [text for _, language, text in FENCE.findall(page) if language == "sh"]
    script = UNKNOWN.sub(r"export \1=sk-reader", "\n".join(["set -e", *blocks]))
    for preset in set(PRESET.findall(script)):
        places = f"--set base_url={await upstreams(preset)} --set endpoints="
        script = script.replace(f"--preset {preset}", f"--preset {preset} {places}")
    script = script.replace("longwire serve\n", SERVE).replace("longwire turns tail", LOGGED)
    return script.replace(":8090", f":{port}")


def shapes(text):
    """Each line, whatever its figures and ids are."""
    named = re.sub(r"\bch_\w+", "ch_…", text)
    return {re.sub(r"\d[\d,.]*", "0", " ".join(line.split())) for line in named.splitlines()}


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_followed(name, upstreams, reader, tmp_path):
    """Every command works, and prints every line that the page shows of it."""
    page = (ROOT / "docs" / "how-to" / f"{name}.md").read_text(encoding="utf-8")
    script = await commands_of(page, upstreams, reader["LONGWIRE_SERVER__PORT"])
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path / "work",
        env=reader,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            printed = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert 0 == process.returncode, printed
    shown = "".join(text for _, language, text in FENCE.findall(page) if language == "text")
    assert set() == shapes(shown) - shapes(printed), printed
