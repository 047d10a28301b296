"""`longwire setup codex`: the block that points Codex at this gateway, printed or written.

Law: all else in the file keeps its bytes, comments too; a file that cannot be read is not changed.
"""

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from longwire.cli.client_file import (
    ClientFile,
    EnvKey,
    Url,
    Write,
    checked_url,
    checked_variable,
    folder,
)

_HEADER = re.compile(r"^\s*\[")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RESERVED = ("openai", "ollama", "lmstudio", "amazon-bedrock")
Provider = Annotated[
    str, typer.Option("--provider", "--profile", help="What the provider is called in the file.")
]
File = Annotated[
    Path | None, typer.Option("--config", help="The file; else $CODEX_HOME/config.toml.")
]
WebSocket = Annotated[
    bool, typer.Option("--websocket/--http", help="How Codex speaks to the gateway.")
]


@dataclass(frozen=True, slots=True)
class Block:
    """A provider of Codex: `base_url` ends with the version, `env_key` names a variable."""

    base_url: str
    name: str
    env_key: str
    websocket: bool = False


def codex(  # one parameter per flag
    url: Url = None,
    provider: Provider = "longwire",
    env_key: EnvKey = "LONGWIRE_KEY",
    config: File = None,
    websocket: WebSocket = False,
    write: Write = 0,
) -> None:
    """Print what Codex's config.toml needs, or write it there."""
    import tomllib

    block = _checked(url, provider, env_key, websocket=websocket)
    if not write:
        typer.echo(rendered(block), nl=False)
        return
    path = config or folder("CODEX_HOME", ".codex") / "config.toml"
    file = ClientFile("codex", path, tomllib.loads, partial(merged, block=block))
    if file.update(asks=write == 1):
        typer.echo(f"Wrote {path}. Put the gateway's key into {env_key}.")


def _checked(url: str | None, provider: str, env_key: str, *, websocket: bool) -> Block:
    if not _NAME.fullmatch(provider) or provider in _RESERVED:
        raise typer.BadParameter(
            f"--provider {provider!r}: use letters, digits, '-' and '_', and no name of Codex' own"
        )
    return Block(f"{checked_url(url)}/v1", provider, checked_variable(env_key), websocket)


def rendered(block: Block) -> str:
    """Return the block as TOML: the choice of the provider, and the provider."""
    return f'model_provider = "{block.name}"\n\n{_table(block)}'


def _table(block: Block) -> str:
    return f"""[model_providers.{block.name}]
name = "Longwire"
base_url = "{block.base_url}"
env_key = "{block.env_key}"
wire_api = "responses"
supports_websockets = {str(block.websocket).lower()}
"""


def merged(text: str, block: Block) -> str:
    """Return a configuration with the block in it, all else byte for byte as it was.

    Raises `ValueError` where the place of the block cannot be told.
    """
    import tomllib

    lines = _with_choice(text.splitlines(keepends=True), block.name)
    result = "".join(_with_table(lines, block))
    wanted = tomllib.loads(rendered(block))["model_providers"][block.name]
    own, others = _split_config(tomllib.loads(result), block.name)
    is_there = own.items() >= wanted.items()
    if not is_there or others != _split_config(tomllib.loads(text), block.name)[1]:
        msg = f"its provider is chosen, or '{block.name}' written, in another form; remove it first"
        raise ValueError(msg)
    return result


def _split_config(config: dict[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a configuration says of a provider that is chosen, and all that it says else."""
    providers = dict(config.get("model_providers", {}))
    own = providers.pop(name, {}) if config.get("model_provider") == name else {}
    providers.pop(name, None)
    rest = {key: value for key, value in config.items() if key != "model_provider"}
    return own, rest | {"model_providers": providers}


def _with_choice(lines: list[str], name: str) -> list[str]:
    chosen = f'model_provider = "{name}"\n'
    end = next((n for n, line in enumerate(lines) if _HEADER.match(line)), len(lines))
    for number in range(end):
        if re.match(r"\s*model_provider\s*=", lines[number]):
            return [*lines[:number], chosen, *lines[number + 1 :]]
    return [chosen, *lines]


def _with_table(lines: list[str], block: Block) -> list[str]:
    """Put the table in the place of an older one, or at the end; keys of the user's own stay."""
    header = re.compile(rf'^\s*\[\s*model_providers\s*\.\s*"?{re.escape(block.name)}"?\s*\]')
    start = next((n for n, line in enumerate(lines) if header.match(line)), None)
    if start is None:
        gap = ["\n"] if lines and lines[-1].strip() else []
        if lines and not lines[-1].endswith("\n"):
            lines = [*lines[:-1], lines[-1] + "\n"]
        return [*lines, *gap, _table(block)]
    rest = lines[start + 1 :]
    end = next((n for n, line in enumerate(rest) if _HEADER.match(line)), len(rest))
    ours = r"\s*(name|base_url|env_key|wire_api|supports_websockets)\s*="
    kept = [line for line in rest[:end] if not re.match(ours, line)]
    return [*lines[:start], _table(block), *kept, *rest[end:]]
