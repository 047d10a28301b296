"""`longwire emulator`: serve the local upstream until told to stop."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from longwire.emulator import Emulator

Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 picks a free one.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="A setting, e.g. lifetime=60. May be repeated."
    ),
]
ScriptText = Annotated[
    str, typer.Option("--script", metavar="JSON", help='The model, e.g. {"tool_rounds": 3}.')
]
FaultTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--oddity",
        "--fault",
        metavar="NAME|PAIRS",
        help="What upstreams in the field do, by its name (`list` shows all), or any fault,"
        " e.g. at=mid_delta,act=close,code=1000,times=1. May be repeated.",
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print one line per turn.")]


def emulator(  # one parameter per flag
    port: Port = 8091,
    host: Host = "127.0.0.1",
    settings: Settings = None,
    script: ScriptText = "{}",
    faults: FaultTexts = None,
    verbose: Verbose = False,
) -> None:
    """Run a local, strict upstream of all APIs that channels speak; no API key is needed.

    Channels of it: base_url = "http://127.0.0.1:8091/v1" with type = "openai" (Responses, or with
    apis = ["chat_completions"] Chat Completions) or type = "anthropic" (Messages), and
    base_url = "http://127.0.0.1:8091/v1beta" with type = "gemini". OpenAI's other APIs are spoken
    below /v1, too: embeddings, images, audio, moderations, completions and rerank.

    All settings, script fields, faults and oddities: docs/reference/emulator.md.
    """
    import msgspec

    from longwire.emulator import Emulator, Options, Script
    from longwire.emulator.faults import parsed

    if "list" in (faults or ()):
        typer.echo(every_oddity())
        return
    options = {"port": port, "host": host} | dict(named_value(text) for text in settings or ())
    options.setdefault("oddities", [text for text in faults or () if "=" not in text])
    try:
        upstream = Emulator(
            msgspec.convert(options, Options),
            msgspec.json.decode(script, type=Script),
            on_turn=typer.echo if verbose else None,
        )
        upstream.faults.add(*(parsed(text) for text in faults or () if "=" in text))
    except (msgspec.MsgspecError, ValueError) as error:
        typer.echo(f"longwire emulator: {error}", err=True)
        raise typer.Exit(2) from error
    run(upstream)


def every_oddity() -> str:
    """One line for each: its name, and what the upstream does."""
    from longwire.emulator.oddities import ODDITIES

    width = max(map(len, ODDITIES))
    return "\n".join(f"{name:{width}}  {each.sentence}" for name, each in ODDITIES.items())


def named_value(text: str) -> tuple[str, object]:
    """`name=value` with the value as JSON, or as a string where it is none."""
    import msgspec

    name, sign, value = text.partition("=")
    if not sign:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return name, value


def run(upstream: "Emulator") -> None:
    """Serve until a signal, or say in one line that the port is taken."""
    import asyncio

    try:
        asyncio.run(serve(upstream))
    except OSError as error:
        address = f"{upstream.options.host}:{upstream.options.port}"
        mend = "Choose another with --port, or --port 0 for any free one."
        typer.echo(f"longwire emulator: cannot listen on {address}: {error}. {mend}", err=True)
        raise typer.Exit(1) from error


async def serve(upstream: "Emulator") -> None:
    """Serve until SIGINT or SIGTERM."""
    import asyncio
    import signal

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with upstream:
        typer.echo(greeting(upstream.url))
        await stopped.wait()


def greeting(url: str) -> str:
    """What to point a client at, and how to break things."""
    return f"""Upstream emulator on {url}
  {url}/v1/responses                  POST (JSON, SSE) and WebSocket
  {url}/backend-api/codex/responses   the same with the Codex backend's rules
  {url}/v1/messages                   Anthropic's Messages, POST (JSON, SSE)
  {url}/v1/chat/completions           Chat Completions, POST (JSON, SSE)
  {url}/v1beta/models/MODEL:generateContent   Gemini, POST (JSON, SSE)
  {url}/v1/models
Any bearer token, x-api-key or x-goog-api-key is accepted. Break the next stream in the middle:
  curl -X POST {url}/_emulator/faults -d '[{{"at": "mid_delta", "act": "reset"}}]'
Look at what happened:
  curl {url}/_emulator/counters"""
