"""Where settings come from: the file found first, and the environment, which wins over it."""

import re
import tomllib
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from longwire.core.errors import ConfigurationError

_PREFIX = "longwire_"
_REFERENCE = re.compile(r"\$\{([^}]*)\}")


def find_file(named: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read; a file that somebody named must exist, the others are tried in order."""
    if named is None and environ.get("LONGWIRE_CONFIG"):
        named = Path(environ["LONGWIRE_CONFIG"])
    if named is not None:
        return named
    home = _base_directory("XDG_CONFIG_HOME", ".config", environ)
    places = [Path("longwire.toml"), home / "longwire.toml", Path("/etc/longwire/longwire.toml")]
    return next((place for place in places if place.is_file()), None)


def default_database(environ: Mapping[str, str]) -> str:
    """The URL of the embedded database when none is set."""
    return f"sqlite:///{storage_directory(environ) / 'longwire.db'}"


def origin_of_database(url: str, source: Path | None, environ: Mapping[str, str]) -> str:
    """Return what names the database: a variable, the file that was read, or nothing of these."""
    for name in environ:
        if name.lower() in ("longwire_database__url", "longwire_database"):
            return name
    if source is not None and url != default_database(environ):
        return str(source.absolute())
    return ""


def storage_directory(environ: Mapping[str, str]) -> Path:
    """Return the folder for what is kept besides a database elsewhere."""
    return _base_directory("XDG_DATA_HOME", ".local/share", environ)


def read_file(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """The file's tables with every `${NAME}` replaced."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or error
        raise ConfigurationError(f"{path}: cannot be read ({reason}); check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: {_located(error, path)}") from error
    missing: list[str] = []
    expanded = _expand(tables, "", environ, missing)
    if missing:
        raise ConfigurationError("\n".join(f"{path}: {problem}" for problem in missing))
    return dict(expanded)


def read_environment(environ: Mapping[str, str], sections: Container[str]) -> dict[str, Any]:
    """The tables that variables such as `LONGWIRE_SERVER__PORT` set; case does not count.

    A variable that sets a section or a table whole wins over those that set parts of it.
    """
    named = {name.lower(): value for name, value in environ.items()}
    ways = {
        (*name.removeprefix(_PREFIX).split("__"),): value
        for name, value in named.items()
        if name.startswith(_PREFIX)
    }
    tables: dict[str, Any] = {}
    for way in sorted(ways, key=len):
        if way[0] in sections:
            _put(tables, way, ways[way])
    return tables


def _put(tables: dict[str, Any], way: Sequence[str], value: str) -> None:
    *above, last = way
    for step in above:
        below = tables.setdefault(step, {})
        if not isinstance(below, dict):
            return
        tables = below
    tables[last] = value


def overlay(below: Any, above: Any) -> Any:  # noqa: ANN401 - JSON-like trees
    """`above` laid over `below`, table by table; the key `0` reaches into a list's first entry."""
    if not isinstance(above, Mapping):
        return above
    if isinstance(below, list) or (above and all(key.isdigit() for key in above)):
        entries = dict(enumerate(below or []))
        for key, value in above.items():
            entries[int(key)] = overlay(entries.get(int(key)), value)
        return [entries[number] for number in sorted(entries)]
    tables = dict(below) if isinstance(below, Mapping) else {}
    return tables | {key: overlay(tables.get(key), value) for key, value in above.items()}


def _base_directory(variable: str, otherwise: str, environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME") or "~").expanduser()
    return Path(environ.get(variable) or home / otherwise) / "longwire"


def _located(error: tomllib.TOMLDecodeError, path: Path) -> str:
    """The parser's words; where it only says "end of document", that place as line and column."""
    lines = path.read_text(encoding="utf-8").split("\n")
    end = f"at line {len(lines)}, column {len(lines[-1]) + 1}"
    return f"no valid TOML: {error}".replace("at end of document", end)


def _expand(value: Any, key: str, environ: Mapping[str, str], missing: list[str]) -> Any:  # noqa: ANN401 - TOML is any tree
    def look_up(found: re.Match[str]) -> str:
        if found[1] not in environ:
            missing.append(
                f"{key}: the environment variable {found[1]} is not set; "
                "export it, or write the value here"
            )
        return environ.get(found[1], "")

    match value:
        case str():
            return _REFERENCE.sub(look_up, value)
        case dict():
            prefix = f"{key}." if key else ""
            return {name: _expand(v, prefix + name, environ, missing) for name, v in value.items()}
        case list():
            return [_expand(v, f"{key}[{n}]", environ, missing) for n, v in enumerate(value)]
        case _:
            return value
