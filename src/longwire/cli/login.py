"""`longwire login codex`: sign a ChatGPT account in, for a channel of type codex."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longwire.cli.store import AsJson, Config, operator, with_settings
from longwire.core.errors import ConfigurationError, InvalidFields, NotFound
from longwire.core.nouns.account import Account
from longwire.core.nouns.channel import CHANNEL_TYPES, ChannelSpec

if TYPE_CHECKING:
    from longwire.relay.accounts.sign_in import SignIn
    from longwire.relay.accounts.sign_ins import SignIns
    from longwire.settings import Settings
    from longwire.store.store import Store

ChannelName = Annotated[
    str, typer.Option("--channel", help="The channel; it is made if there is none of this name.")
]
ByDevice = Annotated[
    bool, typer.Option("--device", help="Show a code to type in a browser on any machine.")
]
ImportFile = Annotated[
    str,
    typer.Option("--import", metavar="FILE", help="Take the tokens of an auth.json; - is stdin."),
]
Paste = Annotated[
    bool, typer.Option("--paste", help="Ask for the address that the browser ended at.")
]
NoBrowser = Annotated[
    bool, typer.Option("--no-browser", help="Open no browser, only tell the URL.")
]
_TICK, _PIECE = 0.25, 65_536
_INTERRUPTED = 130


def build() -> typer.Typer:
    """The commands below `longwire login`."""
    commands = typer.Typer(help="Sign accounts in.", no_args_is_help=True)
    login = Login()
    commands.callback()(login.choose)
    commands.command()(login.codex)
    return commands


class Login:
    """What is chosen for every kind of account, and the kinds."""

    def __init__(self) -> None:
        self._config: Path | None = None

    def choose(self, config: Config = None) -> None:
        """Sign accounts in."""
        self._config = config

    def codex(
        self,
        channel: ChannelName = "codex",
        device: ByDevice = False,
        import_file: ImportFile = "",
        paste: Paste = False,
        no_browser: NoBrowser = False,
        as_json: AsJson = False,
    ) -> None:
        """Sign a ChatGPT account in and add it to a channel; a running gateway takes it over."""
        from longwire.cli.accounts import tell

        if sum((device, bool(import_file), paste)) > 1:
            raise typer.BadParameter("--device, --import and --paste exclude each other")
        imported = _read(import_file) if import_file else None
        way = (device, paste, no_browser)

        async def work(store: "Store", settings: "Settings") -> Account:
            spec = await _channel(store, settings, channel)
            if imported is None:
                return await _signed_in(store, settings, spec, way)
            from longwire.dialects.codex.auth import decode_auth_json

            return await store.accounts.sign_in(spec.id, decode_auth_json(imported), operator())

        try:
            account = with_settings(self._config, work, creates=True)
        except KeyboardInterrupt:
            typer.echo("longwire: nobody was signed in: it was interrupted. Begin again.", err=True)
            raise typer.Exit(_INTERRUPTED) from None
        tell(account, as_json=as_json)


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{file} cannot be read ({error}); name the auth.json of the Codex CLI, such as "
            "~/.codex/auth.json"
        ) from error


async def _channel(store: "Store", settings: "Settings", name: str) -> ChannelSpec:
    """Return the channel of a name; make it where there is none."""
    if any(each.name == name for each in settings.channels):
        raise ConfigurationError(
            f"the channel '{name}' is declared in {settings.source or 'the environment'} and has a "
            "key alone; choose another name with --channel, accounts live in the database"
        )
    try:
        spec = await store.channels.find(name)
    except NotFound:
        kind = CHANNEL_TYPES["codex"]
        draft = ChannelSpec("", name, "codex", kind.base_url, handshake_rate=kind.handshake_rate)
        spec = await store.channels.create(draft, operator())
        typer.echo(f"made the channel {name}", err=True)
    await store.accounts.check_channel(spec.id)
    return spec


async def _signed_in(
    store: "Store", settings: "Settings", spec: ChannelSpec, way: tuple[bool, bool, bool]
) -> Account:
    from longwire.relay.accounts.issuers import Issuers
    from longwire.relay.accounts.sign_in import Method
    from longwire.relay.accounts.sign_ins import SignIns
    from longwire.server import oauth_callback
    from longwire.settings.declared import registration_of
    from longwire.store.store import now_ms

    device, paste, no_browser = way
    issuers = Issuers(registration_of(settings.codex), now_ms, store.channels)
    sign_ins = SignIns(store.accounts, issuers, now_ms, _nothing, oauth_callback.listen)
    method = Method.DEVICE if device else Method.BROWSER
    async with sign_ins.running():
        sign_in = await sign_ins.begin(spec.id, method, operator(), listens=not paste)
        _show(sign_in, opens=not (no_browser or device or paste))
        if method is Method.BROWSER and not sign_ins.is_listening:
            await _pasted(sign_ins, sign_in)
        await _wait(sign_ins, sign_in)
        if sign_in.account is None:
            raise ConfigurationError(f"nobody was signed in: {sign_in.error} Begin again.")
        return sign_in.account


async def _nothing() -> None:
    """A running gateway finds the new account by itself."""


def _show(sign_in: "SignIn", *, opens: bool) -> None:
    typer.echo(f"Open {sign_in.url}", err=True)
    if sign_in.user_code:
        typer.echo(f"and type the code {sign_in.user_code}", err=True)
    if opens and sys.stdout.isatty():
        typer.launch(sign_in.url)


async def _pasted(sign_ins: "SignIns", sign_in: "SignIn") -> None:
    """Ask for the address until one is of this sign-in."""
    typer.echo("Then paste the address that the browser ended at:", err=True)
    async for line in _typed():
        try:
            await sign_ins.finish(sign_in.id, line)
        except InvalidFields as error:
            typer.echo(f"{error.problems[0].message}:", err=True)
        else:
            return
    raise ConfigurationError("no address was pasted; begin again")


async def _typed() -> AsyncIterator[str]:
    """Yield the lines of stdin as they come; no thread waits there, for Ctrl-C to wait for it."""
    held, place = b"", sys.stdin.fileno()
    while True:
        await _readable(place)
        if not (piece := os.read(place, _PIECE)):
            break
        *lines, held = (held + piece).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace")
    if held:
        yield held.decode("utf-8", "replace")


async def _readable(place: int) -> None:
    import asyncio

    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(place, ready.set)
    except PermissionError:  # a file, which always is
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(place)


async def _wait(sign_ins: "SignIns", sign_in: "SignIn") -> None:
    """Wait until a sign-in is over; on a terminal a countdown tells how long it lasts."""
    import asyncio

    from longwire.relay.accounts.sign_in import Stage
    from longwire.store.store import now_ms

    try:
        while (await sign_ins.find(sign_in.id)).stage is Stage.PENDING:
            if sys.stderr.isatty():
                left = max(sign_in.expires_at - now_ms(), 0) // 1000
                sys.stderr.write(f"\rwaiting, {left // 60}:{left % 60:02} left ")
                sys.stderr.flush()
            await asyncio.sleep(_TICK)
    finally:
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
