"""Files of other gateways, read with errors that name their place."""

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import yaml

from longwire.core.errors import ConfigurationError
from longwire.settings import Settings, load

_REFERENCE: Final = re.compile(r"\$\{(\w+)\}")
_ANY_SECRET: Final = "stands-for-a-secret"  # noqa: S105 - for a variable that is not set yet
_TOO_DEEP: Final = "is nested too deeply to be read; import a file as the other gateway writes it"

NO_KEY: Final = "a key has 8 characters or more, none a space"
MILLION = Decimal(1_000_000)


def read_yaml(file: Path) -> Any:  # noqa: ANN401 - YAML is any tree
    """Return what a YAML file says. Raises `ConfigurationError` with line and column."""
    try:
        return yaml.safe_load(_text_of(file))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "its end"
        raise ConfigurationError(f"{file}: no valid YAML at {place}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{file}: no valid YAML: {error}") from None
    except RecursionError:
        raise ConfigurationError(f"{file}: {_TOO_DEEP}") from None


def read_json(file: Path) -> Any:  # noqa: ANN401 - JSON is any tree
    """Return what a JSON file says. Raises `ConfigurationError` with line and column."""
    try:
        return json.loads(_text_of(file), parse_float=Decimal)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigurationError(f"{file}: no valid JSON at {place}: {error.msg}") from None
    except RecursionError:
        raise ConfigurationError(f"{file}: {_TOO_DEEP}") from None


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: is no text in UTF-8; save it as such") from None


def table(value: object, where: str) -> Mapping[str, Any]:
    """Return a table, an empty one for null. Raises `ConfigurationError` for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{where}: is {_kind(value)}; write a table of names and values")
    return value


def entries(value: object, where: str) -> Sequence[Any]:
    """Return a list, an empty one for null. Raises `ConfigurationError` for anything else."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ConfigurationError(f"{where}: is {_kind(value)}; write a list")
    return value


def text(value: object, where: str) -> str:
    """Return a text, "" for null. Raises `ConfigurationError` for a list or a table."""
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        raise ConfigurationError(f"{where}: is {_kind(value)}; write a text")
    return str(value)


def number(value: object, where: str) -> Decimal:
    """Return a number. Raises `ConfigurationError` for what is none, or not finite."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise ConfigurationError(f"{where}: is no number; write one, as in 0.25") from None
    if not found.is_finite() or found < 0:
        raise ConfigurationError(f"{where}: must be 0 or more; write a price or a number")
    return found


def is_key(value: str) -> bool:
    """Whether callers may be known by it."""
    return re.fullmatch(r"[!-~]{8,}", value) is not None


def short(price: Decimal) -> Decimal:
    """Return a price without needless zeros, to the billionth of a dollar."""
    return Decimal(f"{price.quantize(Decimal('1e-9')).normalize():f}")


def _kind(value: object) -> str:
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false"}
    return names.get(type(value), "a number")


def matches(pattern: str, name: str, where: str) -> bool:
    """Whether a pattern is that of a name. Raises `ConfigurationError` for what is no pattern."""
    try:
        return bool(re.fullmatch(pattern, name))
    except re.error as error:
        raise ConfigurationError(f"{where}: no pattern ({error}); correct it there") from None


def checked(configuration: str) -> None:
    """Raise `ConfigurationError` where a configuration would not do; variables may lack yet."""
    lacking = dict.fromkeys(_REFERENCE.findall(configuration), _ANY_SECRET)
    _loaded(configuration, {**lacking, **os.environ})


def loaded(configuration: str) -> Settings:
    """Return the settings of a configuration. Raises `ConfigurationError`."""
    return _loaded(configuration, os.environ)


def _loaded(configuration: str, environ: Mapping[str, str]) -> Settings:
    """Read a configuration as a start would, from a file that nobody else may read."""
    inherited = {name: value for name, value in environ.items() if "LONGWIRE_" not in name.upper()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "imported.toml"
        file.touch(0o600)
        file.write_text(configuration, encoding="utf-8")
        try:
            return load(file, inherited)
        except ConfigurationError as error:
            raise ConfigurationError(str(error).replace(str(file), "what it becomes")) from None
