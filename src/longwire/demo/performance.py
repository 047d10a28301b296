"""The performance: both sessions, the verdict, and an open house afterwards."""

import asyncio
import logging
import signal

import uvloop
from openai import OpenAIError
from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner

from longwire.core.errors import UpstreamUnavailable
from longwire.demo.agent import Agent
from longwire.demo.report import Row, Session, side_by_side
from longwire.demo.stage import KEY, MODELS, OWNER, SCRIPT, staged
from longwire.emulator import Emulator, Script
from longwire.server import logs

_NOTE = f"""
exact: digests taken at both ends agree that the model was shown what was sent.
Bytes, items and handshakes are counted. Times are modelled by the upstream:
{SCRIPT.upload_ms_per_kib:g} ms per KiB sent on and {SCRIPT.first_event_ms:g} ms to think; \
so is the prompt cache, which lives
with its connection. The very first turn also warms the client up.
"""
_INVITATION = """
The gateway keeps serving; end it with Ctrl-C.

  see it    {page}
  sign in   {owner} with the password {key}

  base URL  {url}
  API key   {key}
  models    {websocket} (over websocket), {http} (over http)

curl -i {url}/responses \\
  -H 'authorization: Bearer {key}' -H 'content-type: application/json' \\
  -d '{{"model": "{websocket}", "input": "Hello"}}'

from openai import OpenAI
client = OpenAI(base_url="{url}", api_key="{key}")
print(client.responses.create(model="{websocket}", input="Hello").output_text)
"""


def perform(*, once: bool) -> int:
    """Run both sessions, tell how they went, and keep serving unless `once`; the exit code."""
    logs.configure(logging.WARNING)  # its tables tell of every turn
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_perform(Console(highlight=False, markup=False), once=once))


async def _perform(console: Console, *, once: bool) -> int:
    async with staged() as (upstream, url):
        sessions = [await _session(upstream, url, name, console) for name in MODELS]
        console.print("\nBoth sessions", style="bold")
        console.print(side_by_side(sessions))
        console.print(_NOTE, style="dim", soft_wrap=True)
        problems = [problem for session in sessions for problem in session.problems()]
        for problem in problems:
            console.print(f"✗ {problem}", style="bold red")
        if not problems:
            console.print("✓ every turn was exact, and every later one continued", style="green")
        if not once:
            upstream.script = Script()
            page = url.removesuffix("/v1")
            values = {"url": url, "page": page, "owner": OWNER, "key": KEY, **MODELS}
            console.print(_INVITATION.format(**values), soft_wrap=True)
            await _interrupted()
        return int(bool(problems))


async def _session(upstream: Emulator, url: str, transport: str, console: Console) -> Session:
    """Run the agent's session over one transport, showing each turn as it ends."""
    session, agent = Session(transport, []), Agent(url, KEY, MODELS[transport])
    handshakes, violations = upstream.counters.sockets_opened, len(upstream.violations)
    console.print(f"\nAn agent's session, sent on over {transport}", style="bold")
    working = Spinner("dots", "the agent works …")
    try:
        with Live(working, console=console) as live:
            async for turn in agent.turns():
                session.rows.append(Row(turn, upstream.turns[-1]))
                live.update(Group(session.table(), working), refresh=True)
            live.update(session.table(), refresh=True)
    except OpenAIError as error:
        raise UpstreamUnavailable(f"the session over {transport} broke: {error}") from error
    finally:
        await agent.client.close()
    console.print(end="" if console.is_terminal else "\n")
    session.handshakes = upstream.counters.sockets_opened - handshakes
    session.violations = tuple(upstream.violations[violations:])
    return session


async def _interrupted() -> None:
    """Wait for SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
