"""The performance: one session through every API, the verdict, and an open house afterwards."""

import asyncio
import logging
import signal
from collections.abc import Sequence

import uvloop
from rich.console import Console

from longwire.core.errors import UpstreamUnavailable
from longwire.demo.report import HEADING, Session, last_lines, lines_of, problems_of, side_by_side
from longwire.demo.sessions import play, play_translated
from longwire.demo.stage import KEY, MODELS, OWNER, SCRIPT, TRANSLATED, staged
from longwire.emulator import Emulator, Script
from longwire.server import logs

_TITLE = """
One agent's session, sent to each API by its official client, with all of its history every turn
"""
_TRANSLATED = """
The first turns of Responses once more, on a channel whose upstream speaks Messages alone
"""
_NOTE = f"""
exact: digests taken at both ends agree. In every API the model was shown, item by item and with its
own reasoning, what the client of Responses sent.
over HTTP: the session of Responses once more, on a channel that holds nothing.
Bytes, items and handshakes are counted. Times are modelled by the upstream:
{SCRIPT.upload_ms_per_kib:g} ms per KiB sent on and {SCRIPT.first_event_ms:g} ms to think; \
so is the prompt cache, which lives with its
connection. The very first turns also warm the clients up.
"""
_INVITATION = """
The gateway keeps serving; end it with Ctrl-C.

  see it    {url}
  sign in   {owner} with the password {key}

  API key   {key}
  models    {websocket}, claude-* and gpt-* (over websocket), {http} (over http),
            {translated} (its upstream is asked in Messages)
  base URL  {url}/v1  for Responses and Chat Completions
            {url}     for Messages

Claude Code:

ANTHROPIC_BASE_URL={url} ANTHROPIC_AUTH_TOKEN={key} claude

Codex:

LONGWIRE_KEY={key} codex -c model_provider=longwire \\
  -c model_providers.longwire.name=Longwire \\
  -c model_providers.longwire.base_url={url}/v1 \\
  -c model_providers.longwire.env_key=LONGWIRE_KEY

opencode, aider, Cline, Continue, Open WebUI:

longwire setup --help  # in a checkout: .venv/bin/longwire

The clients of OpenAI, and all that are built on them:

from openai import OpenAI
client = OpenAI(base_url="{url}/v1", api_key="{key}")
print(client.responses.create(model="{websocket}", input="Hello").output_text)
"""


def perform(*, once: bool) -> int:
    """Run the sessions, tell how they went, and keep serving unless `once`; the exit code."""
    logs.configure(logging.WARNING)  # its table tells of every turn
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_perform(Console(highlight=False, markup=False), once=once))


async def _perform(console: Console, *, once: bool) -> int:
    async with staged() as (upstream, url):
        console.print(_TITLE, style="bold", soft_wrap=True)
        console.print(HEADING, soft_wrap=True)
        problems = await _sessions(console, upstream, url)
        for problem in problems:
            console.print(f"✗ {problem}", style="bold red", soft_wrap=True)
        if not problems:
            console.print("✓ every turn was exact, and every later one continued", style="green")
        if not once:
            upstream.script = Script()
            values = {"url": url, "owner": OWNER, "key": KEY, **MODELS}
            values["translated"] = TRANSLATED
            console.print(_INVITATION.format(**values), soft_wrap=True)
            await _interrupted()
        return int(bool(problems))


async def _sessions(console: Console, upstream: Emulator, url: str) -> list[str]:
    """Run the sessions, showing their turns and totals; return what went wrong."""

    def show(sessions: Sequence[Session]) -> None:
        console.print(last_lines(sessions), soft_wrap=True)

    try:
        with console.status("the agent works …"):
            sessions = await play(upstream, url, show)
            translated = await play_translated(upstream, url)
    except UpstreamUnavailable as error:
        return [str(error)]
    console.print()
    console.print(side_by_side(sessions))
    console.print(_TRANSLATED, style="bold", soft_wrap=True)
    console.print(lines_of(translated), soft_wrap=True)
    console.print(_NOTE, style="dim", soft_wrap=True)
    return [*problems_of(sessions), *translated.problems()]


async def _interrupted() -> None:
    """Wait for SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
