"""`--set FIELD=VALUE`: what commands change of a noun, read from texts.

A value written `${NAME}` comes from the environment, so that no secret stands in a list of
processes. Law: the error for an unknown field or value names it, and those that exist.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from enum import Enum, EnumType
from math import isfinite
from typing import Annotated, Any, Final

import typer

from longwire.core.errors import FieldProblem, InvalidFields, LongwireError, refuse
from longwire.core.nouns.access import GREATEST, Budgets, Rates, Role, most_text
from longwire.core.nouns.channel import EndpointSpec
from longwire.core.nouns.override import Override
from longwire.core.nouns.people import UserStatus
from longwire.core.nouns.price import ModelPrice, PriceTier, nano_of
from longwire.core.nouns.project import ProjectStatus
from longwire.core.nouns.secret import Secret

Reader = Callable[[str], object]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Set a field; may be repeated. A value ${NAME} is read from the environment.",
    ),
]
_REFERENCE = re.compile(r"\$\{(\w+)\}")
_NUMBER: Final = "write a number, as in 2 or 0.5"
_NANO: Final = 1_000_000_000
_AMOUNTS: Final = {"input", "cached", "cache_write", "output"}
_PRICES: Final = "write prices as in 'gpt-5* input=1.25 cached=0.125 output=10'"
_QUIRKS: Final = """pairs as in takes_strict=false, or JSON as in {"max_output": {"*": 8192}}"""
_OVERRIDES: Final = (
    'write a JSON list as in [{"action": "set", "member": "reasoning.effort", "value": "high"}]'
)
_CAPITALS: Final = re.compile(r"(?<=[a-z])[A-Z]+")
_BOUNDS: Final = re.compile(r"^(memberBounds\.)?((rates|budgets)\.)?")
_CALLED: Final = {
    "subject_id": "NAME",
    "time_zone": "ZONE",
    "credential": "api_key",
    "project_id": "project",
    "user_id": "user",
    "expires_at": "expires",
}
"""What fields are called as options and arguments, where that is not their name in another case."""

_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


def words(text: str) -> tuple[str, ...]:
    """Read words apart by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Read pairs such as `fast=gpt-5.2,slow=gpt-5`."""
    split = [word.partition("=") for word in words(text)]
    if not all(equals for _, equals, _ in split):
        raise ValueError("write pairs as in fast=gpt-5.2,slow=gpt-5")
    return tuple((name.strip(), value.strip()) for name, _, value in split)


def secret_pairs(text: str) -> tuple[tuple[str, Secret], ...]:
    """Read pairs whose values are secrets."""
    return tuple((name, Secret(value)) for name, value in pairs(text))


def endpoints(text: str) -> tuple[EndpointSpec, ...]:
    """Read endpoints such as `responses transport=http path=/r, messages`."""
    return tuple(_endpoint(word) for word in words(text))


def _endpoint(text: str) -> EndpointSpec:
    api, *rest = text.split()
    values = dict(word.partition("=")[::2] for word in rest)
    if not values.keys() <= {"path", "base_url", "transport"}:
        raise ValueError("write endpoints as in 'responses transport=http path=/r base_url=…'")
    return EndpointSpec(api, **values)


def prices(text: str) -> tuple[ModelPrice, ...]:
    """Read prices such as `gpt-5* input=1.25 output=10 >200000 input=2.5 output=15, local …`.

    Behind a number of tokens stands what turns of more input than that cost.
    """
    return tuple(_price(word) for word in words(text))


def _price(text: str) -> ModelPrice:
    first, *longer = text.split(">")
    model, *rest = first.split()
    tiers = []
    for each in longer:
        above, *amounts = each.split() or [""]
        if not above.isdecimal():
            raise ValueError(f"write a number of tokens behind '>', as in '>200000'; {_PRICES}")
        tiers.append(PriceTier(int(above), **_amounts(amounts)))
    return ModelPrice(model, **_amounts(rest), tiers=tuple(tiers))


def _amounts(rest: Iterable[str]) -> dict[str, int]:
    rest = tuple(rest)
    values = dict(word.partition("=")[::2] for word in rest)
    if missing := {"input", "output"} - values.keys():
        raise ValueError(f"{', '.join(sorted(missing))} is missing; {_PRICES}")
    if len(values) < len(rest) or not values.keys() <= _AMOUNTS:
        raise ValueError(f"each of {', '.join(sorted(_AMOUNTS))} stands once; {_PRICES}")
    try:
        return {name: nano_of(Decimal(value)) for name, value in values.items()}
    except (ArithmeticError, ValueError) as error:
        raise ValueError("write US dollars for a million tokens, as in input=1.25") from error


def overrides(text: str) -> tuple[Override, ...]:
    """Read a JSON list of overrides, as the configuration file has them."""
    from pydantic import TypeAdapter

    from longwire.settings.channels import Override as Declared

    try:
        each = TypeAdapter(list[Declared]).validate_json(text or "[]")
    except ValueError as error:
        raise ValueError(f"{_OVERRIDES} ({_faults(error)})") from error
    return tuple(one.override for one in each)


def _faults(error: ValueError) -> str:
    """Return what a validation found, without what was written: it may be a secret."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    places = [_place(each["loc"]) for each in faults]
    pairs = zip(places, faults, strict=True)
    return "; ".join(f"{place}: {each['msg']}" if place else each["msg"] for place, each in pairs)


def _place(path: Sequence[int | str]) -> str:
    return "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in path).lstrip(".")


def role(text: str | None) -> Role | None:
    """Read a role, None where none is named. Raises `InvalidFields`."""
    if text is not None and text not in set(Role):
        raise InvalidFields([FieldProblem("role", f"must be one of {', '.join(Role)}")])
    return Role(text) if text is not None else None


def words_or_default(text: str) -> tuple[str, ...] | None:
    """Read words apart by commas; `default` is what the channel's type has."""
    return None if text == "default" else words(text)


def quirks(text: str) -> tuple[tuple[str, str], ...]:
    """Read a JSON object of settings, or pairs such as `strict=false,effort=low`."""
    if not text.lstrip().startswith("{"):
        try:
            return tuple((name, _json_of(value)) for name, value in pairs(text))
        except ValueError as error:
            raise ValueError(f"write {_QUIRKS}") from error
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON object ({error}); write {_QUIRKS}") from error
    return tuple((name, json.dumps(value)) for name, value in settings.items())


def _json_of(word: str) -> str:
    """Return a word as JSON: as it stands where it is some, else as a text."""
    try:
        json.loads(word)
    except json.JSONDecodeError:
        return json.dumps(word)
    return word


def boolean(text: str) -> bool:
    """Read true or false."""
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError("write true or false")
    return text.lower() in _TRUE


def number(text: str) -> float:
    """Read a number."""
    try:
        found = float(text)
    except ValueError as error:
        raise ValueError(_NUMBER) from error
    if not isfinite(found):
        raise ValueError(_NUMBER)
    return found


def whole(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text.replace("_", ""))
    except ValueError as error:
        raise ValueError("write a whole number, as in 3") from error


def limit(text: str) -> int | None:
    """Read a whole number; nothing is no limit."""
    return whole(text) if text else None


def cost(text: str) -> int | None:
    """Read US dollars as billionths; nothing is no limit."""
    if not text:
        return None
    nano = number(text) * _NANO
    if nano > GREATEST:
        raise ValueError(f"write {most_text(is_money=True)} at most, or nothing for no limit")
    return round(nano)


RATES: Final = tuple(field.name for field in fields(Rates))
BUDGETS: Final = tuple(field.name for field in fields(Budgets))
CHANNEL: Final[Mapping[str, Reader]] = {
    "name": str,
    "type": str,
    "base_url": str,
    "api_key": Secret,
    "transport": str,
    "models": words,
    "renames": pairs,
    "tags": words,
    "weight": number,
    "organization": str,
    "project": str,
    "proxy": Secret,
    "tls_ca": str,
    "tls_verify": boolean,
    "headers": secret_pairs,
    **dict.fromkeys(RATES, limit),
    "handshake_rate": number,
    "handshake_burst": whole,
    "native_items": words_or_default,
    "apis": words_or_default,
    "profile": str,
    "quirks": quirks,
    "unsupported": str,
    "threads": boolean,
    "prices": prices,
    "endpoints": endpoints,
    "overrides": overrides,
}
KEY: Final[Mapping[str, Reader]] = {
    "name": str,
    "project": str,
    "user": str,
    "models": words,
    "channels": words,
    "expires": str,
    "keeps_bodies": boolean,
    "shows_reasoning": boolean,
    **dict.fromkeys(RATES, limit),
    **dict.fromkeys(BUDGETS, limit),
    "cost_per_day": cost,
    "cost_per_month": cost,
}
USER: Final[Mapping[str, Reader]] = {"email": str, "name": str, "role": Role, "status": UserStatus}
PROJECT: Final[Mapping[str, Reader]] = {
    "name": str,
    "description": str,
    "status": ProjectStatus,
    "models": words,
    "channels": words,
    **{name: KEY[name] for name in (*RATES, *BUDGETS)},
}


def read(assignments: Iterable[str], known: Mapping[str, Reader]) -> dict[str, Any]:
    """Return the fields that `--set` names. Raises `InvalidFields` with every problem."""
    values: dict[str, Any] = {}
    problems = []
    for text in assignments:
        name, _, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if name not in known or "=" not in text:
            mend = f"write FIELD=VALUE; fields are {', '.join(known)}"
            problems.append(FieldProblem(name, mend))
            continue
        try:
            values[name] = known[name](_REFERENCE.sub(_from_environment, value))
        except ValueError as error:
            problems.append(FieldProblem(name, _mend(known[name]) or str(error)))
    refuse(problems)
    return values


def _mend(reader: Reader) -> str:
    """Return what to write where a field takes certain words."""
    if isinstance(reader, EnumType):
        members: Mapping[str, Enum] = reader.__members__
        words = [str(each.value) for each in members.values()]
        return f"write one of {', '.join(words)}"
    return ""


def said(error: LongwireError) -> str:
    """Return an error in the words of the command line: fields are what `--set` calls them."""
    if not isinstance(error, InvalidFields):
        return str(error)
    return "; ".join(f"{_option(each.field)}: {each.message}" for each in error.problems)


def _option(field: str) -> str:
    """Return what a field of the API is called here."""
    name = _CAPITALS.sub(lambda found: f"_{found[0].lower()}", _BOUNDS.sub("", field))
    return _CALLED.get(name, name)


def taken_out(values: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Take some fields out of those that were read."""
    return {name: values.pop(name) for name in tuple(names) if name in values}


def _from_environment(found: re.Match[str]) -> str:
    if found[1] not in os.environ:
        raise ValueError(f"the environment variable {found[1]} is not set")
    return os.environ[found[1]]
