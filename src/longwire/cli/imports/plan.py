"""What another gateway's configuration becomes here, and what becomes of each part of it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from longwire.core.nouns.secret import Secret

Outcome = Literal["taken", "changed", "left"]
Table = dict[str, Any]
_SECRETS: Final = {"channels": "api_key", "api_keys": "key"}


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a part of the file: `where` it stands, and what stands here or why not."""

    where: str
    outcome: Outcome
    text: str


@dataclass(slots=True)
class Plan:
    """Tables as the configuration file has them; a secret that stood in the text is a `Secret`."""

    channels: list[Table] = field(default_factory=list)
    models: list[Table] = field(default_factory=list)
    api_keys: list[Table] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def note(self, where: str, outcome: Outcome, text: str) -> None:
        """Say what became of a part."""
        self.notes.append(Note(where, outcome, text))

    def name(self, tables: Sequence[Table], wanted: str) -> str:
        """Return a name that tables here may have and none of these has yet."""
        allowed = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in wanted)
        plain = allowed.strip("-") or "imported"
        taken = {table["name"] for table in tables}
        numbers = (f"{plain}-{number}" for number in range(2, len(taken) + 3))
        return next(name for name in (plain, *numbers) if name not in taken)

    def sections(self) -> Iterator[tuple[str, list[Table]]]:
        """Yield the kinds of tables with those there are, in the order of the file."""
        yield from (
            ("channels", self.channels),
            ("models", self.models),
            ("api_keys", self.api_keys),
        )

    def variables(self) -> dict[str, Secret]:
        """Return the secrets, by the variable that stands for each where none is shown."""
        return {
            variable_of(kind, table["name"]): table[_SECRETS[kind]]
            for kind, tables in self.sections()
            for table in tables
            if isinstance(table.get(_SECRETS.get(kind, "")), Secret)
        }


def variable_of(kind: str, name: str) -> str:
    """Return the variable that stands for the secret of a channel or a key."""
    word = "".join(letter if letter.isalnum() else "_" for letter in name).upper()
    return f"{'CHANNEL' if kind == 'channels' else 'KEY'}_{word}"


def toml_of(plan: Plan, *, shows_secrets: bool) -> str:
    """Return the file of a plan; a secret that is not shown is read from a variable."""
    parts = []
    for kind, tables in plan.sections():
        for table in tables:

            def secret(value: Secret, kind: str = kind, name: str = table["name"]) -> str:
                return value.reveal() if shows_secrets else f"${{{variable_of(kind, name)}}}"

            parts.append("\n".join(_lines(kind, table, secret)))
    return "\n\n".join(parts) + "\n" if parts else ""


def _lines(kind: str, table: Mapping[str, Any], secret: Callable[[Secret], str]) -> Iterator[str]:
    yield f"[[{kind}]]"
    below = {name: value for name, value in table.items() if _is_tables(value)}
    for name, value in table.items():
        if name not in below:
            yield f"{name} = {_value(value, secret)}"
    for name, tables in below.items():
        for each in tables:
            yield ""
            yield from _lines(f"{kind}.{name}", each, secret)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _value(value: object, secret: Callable[[Secret], str]) -> str:
    match value:
        case Secret():
            return _text(secret(value))
        case bool():
            return str(value).lower()
        case str():
            return _text(value)
        case Decimal():
            return f"{value:f}"
        case dict():
            pairs = (f"{_text(name)} = {_value(each, secret)}" for name, each in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case list() | tuple():
            return f"[{', '.join(_value(each, secret) for each in value)}]"
        case _:
            return str(value)


def _text(text: str) -> str:
    """Return a basic string; JSON's escapes are TOML's, but for one letter."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
