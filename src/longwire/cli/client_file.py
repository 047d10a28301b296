"""A client's own configuration file: read, changed, shown as a difference and written.

Law: a file that cannot be read, or that somebody changes meanwhile, is not written; what was there
before stands beside it, and a file has its old content or its new one at any time.
"""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from longwire.settings.keys import Server

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_PRIVATE = 0o600
Url = Annotated[
    str | None, typer.Option(help="Where the gateway serves; else where the settings say.")
]
EnvKey = Annotated[str, typer.Option(help="The environment variable that holds the gateway's key.")]
Write = Annotated[
    int,
    typer.Option(
        "--write",
        "--yes",
        count=True,
        show_default=False,
        help="Show what changes in the file and ask; --write --yes writes without asking.",
    ),
]


@dataclass(frozen=True, slots=True)
class ClientFile:
    """`check` reads a text and `merge` changes it; both raise `ValueError` where they cannot.

    `secret` is shown nowhere.
    """

    client: str
    path: Path
    check: Callable[[str], object]
    merge: Callable[[str], str]
    secret: str = ""

    def read(self) -> str:
        """Return what stands in the file, "" for none; one that is broken ends the command."""
        try:
            text = self.path.read_bytes().decode()
            self.check(text)
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            self.refuse(f"{self.path} cannot be read ({error}); mend it first. Nothing was written")
        return text

    def merged(self, before: str) -> str:
        """Return the text as it is to be; where that cannot be told, the command ends."""
        try:
            return self.merge(before)
        except ValueError as error:
            self.refuse(f"{self.path}: {error}. Nothing was written")

    def difference(self, before: str, after: str) -> str:
        """Return what changes, line by line."""
        from difflib import unified_diff

        lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
        text = "".join(unified_diff(*lines, str(self.path), f"{self.path} (new)"))
        return text.replace(self.secret, "…") if self.secret else text

    def update(self, *, asks: bool) -> bool:
        """Write what is to change, once it was shown; return whether there was anything."""
        before = self.read()
        after = self.merged(before)
        if after == before:
            typer.echo(f"{self.path} says so already.")
            return False
        typer.echo(self.difference(before, after), nl=False)
        if asks and not typer.confirm(f"Write this to {self.path}?"):
            raise typer.Exit(1)
        if self.read() != before:
            self.refuse(f"{self.path} was changed meanwhile; try again. Nothing was written")
        self._store(after)
        return True

    def _store(self, after: str) -> None:
        """Write the file at once and whole, with a copy of the old one beside it."""
        path = self.path.resolve()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(path.name + ".new")
            fresh.unlink(missing_ok=True)
            fresh.touch(_PRIVATE)
            if path.exists():
                shutil.copy2(path, path.with_name(path.name + ".before-longwire"))
                shutil.copymode(path, fresh)
            fresh.write_bytes(after.encode())
            fresh.replace(path)
        except OSError as error:
            self.refuse(f"cannot write {path}: {error}")

    def refuse(self, message: str) -> NoReturn:
        """End the command."""
        typer.echo(f"longwire setup {self.client}: {message}.", err=True)
        raise typer.Exit(1)


def checked_url(url: str | None) -> str:
    """Return the gateway's root, without a version; by default where the settings let it listen."""
    url = own_url() if url is None else url
    bare = url.rstrip("/").removesuffix("/v1")
    if not re.fullmatch(r"https?://[!#-\[\]-~]+", bare):
        raise typer.BadParameter(f"--url {url!r} is no http or https URL")
    return bare


def own_url() -> str:
    """Return where a gateway of this machine's settings serves; the usual place without any."""
    from longwire.core.errors import ConfigurationError
    from longwire.settings import load
    from longwire.settings.keys import Server

    try:
        server = load().server
    except ConfigurationError:
        server = Server()
    return url_of(server)


def url_of(server: "Server") -> str:
    """Return where a gateway serves on this machine."""
    host = server.host if server.host not in ("0.0.0.0", "::", "") else "127.0.0.1"  # noqa: S104
    bracketed = f"[{host}]" if ":" in host else host
    return f"http://{bracketed}:{server.port}{server.base_path.rstrip('/')}"


def checked_variable(name: str) -> str:
    """Return the name of an environment variable."""
    if not _VARIABLE.fullmatch(name):
        raise typer.BadParameter(f"--env-key {name!r} is no name of an environment variable")
    return name


def folder(variable: str, below_home: str) -> Path:
    """Return the folder that a variable names, or its usual place."""
    return Path(os.environ.get(variable) or Path.home() / below_home)
