"""What another gateway's configuration becomes here, and what becomes of each part of it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from longwire.core.nouns.secret import Secret

Outcome = Literal["taken", "changed", "left"]
Table = dict[str, Any]
_PREFIXES: Final = {"channels": "CHANNEL", "api_keys": "KEY"}


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a part of the file: `where` it stands, and what stands here or why not."""

    where: str
    outcome: Outcome
    text: str


@dataclass(slots=True)
class Plan:
    """Tables as the configuration file has them; a secret that stood in the text is a `Secret`.

    `rates` of channels and `grants` of API keys, by their names, are what the database alone has.
    """

    channels: list[Table] = field(default_factory=list)
    models: list[Table] = field(default_factory=list)
    api_keys: list[Table] = field(default_factory=list)
    rates: dict[str, Table] = field(default_factory=dict)
    grants: dict[str, Table] = field(default_factory=dict)
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
            variable: secret
            for kind, tables in self.sections()
            for table in tables
            for secret, variable in _variables(kind, table).items()
        }


def _variables(kind: str, table: Table) -> dict[Secret, str]:
    """Return the secrets of a channel or a key, each with the variable that stands for it."""
    word = "".join(letter if letter.isalnum() else "_" for letter in table["name"]).upper()
    name = f"{_PREFIXES.get(kind, kind.upper())}_{word}"
    secrets = dict.fromkeys(_secrets(table))
    return {
        secret: name if number == 1 else f"{name}__{number}"
        for number, secret in enumerate(secrets, start=1)
    }


def _secrets(value: object) -> Iterator[Secret]:
    match value:
        case Secret():
            yield value
        case dict():
            for each in value.values():
                yield from _secrets(each)
        case list():
            for each in value:
                yield from _secrets(each)
        case _:
            pass


def toml_of(plan: Plan, *, shows_secrets: bool) -> str:
    """Return the file of a plan; a secret that is not shown is read from a variable."""
    parts = []
    for kind, tables in plan.sections():
        for table in tables:
            variables = _variables(kind, table)

            def secret(value: Secret, variables: Mapping[Secret, str] = variables) -> str:
                return value.reveal() if shows_secrets else f"${{{variables[value]}}}"

            parts.append("\n".join(_lines(kind, table, secret)))
    return "\n\n".join(parts) + "\n" if parts else ""


def _lines(kind: str, table: Mapping[str, Any], secret: Callable[[Secret], str]) -> Iterator[str]:
    yield f"[[{kind}]]"
    below = {name: value for name, value in table.items() if name != "value" and _is_tables(value)}
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
