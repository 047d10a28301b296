"""Leaves out of a plan what cannot be taken over, and says so.

Law: one odd entry stops no import. What a place, a key or a name depends on goes as a whole: it
would mean something else without it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from longwire.cli.imports.plan import Note, Plan, Table, toml_of
from longwire.cli.imports.reading import checked
from longwire.core.errors import ConfigurationError

_PROBLEM: Final = re.compile(
    r"(channels|models|api_keys)\[(\d+)\]((?:\.\w+|\[\d+\])*): (?:([a-z_]+(?:\.\w+)*): )?(.*)"
)
_NOUNS: Final = {"channels": "channel", "models": "model", "api_keys": "API key"}
_SPARED: Final = frozenset(
    {"weight", "order", "tags", "prices", "renames", "overrides", "fallbacks"}
)
"""The members that a table does without."""

_LISTS: Final = frozenset({"targets", "models"})
"""The lists that a table does without some of."""


@contextmanager
def one_of_many(plan: Plan) -> Iterator[None]:
    """Note an entry, or a member, that cannot be understood as left."""
    try:
        yield
    except ConfigurationError as error:
        place, _, why = str(error).partition(": ")
        plan.note(place, "left", why)


def fit(plan: Plan) -> None:
    """Leave out what a start would refuse. Raises `ConfigurationError` where that is no part."""
    while True:
        try:
            return checked(toml_of(plan, shows_secrets=True))
        except ConfigurationError as error:
            if not _leave_out(plan, str(error).splitlines()):
                raise


def _leave_out(plan: Plan, lines: list[str]) -> bool:
    """Leave out the parts that these lines name; whether there was one."""
    sections, gone = dict(plan.sections()), []
    for line in dict.fromkeys(lines):
        if found := _PROBLEM.search(line):
            kind, position, path, within, why = found.groups()
            steps = re.findall(r"\w+", path) or re.findall(r"\w+", within or "")
            gone.append((kind, sections[kind][int(position)], steps, why))
    for kind, held, steps, why in gone:
        noun = f"{_NOUNS[kind]} {held['name']}"
        if part := _spare(held, steps):
            plan.note(noun, "left", f"{part}: {why}")
        elif any(each is held for each in sections[kind]):
            sections[kind][:] = [each for each in sections[kind] if each is not held]
            _note_gone(plan, noun, why)
    for _, held, _, _ in gone:
        _close_gaps(held)
    _follow(plan)
    return bool(gone)


def _spare(held: Table, steps: list[str]) -> str:
    """Take a part out of a table, and return what it was; "" where the table needs it."""
    member, rest = (steps[0], steps[1:]) if steps else ("", [])
    value = held.get(member)
    if isinstance(value, list) and rest[1:] and rest[1] in _SPARED:
        return f"{rest[1]} {value[int(rest[0])].pop(rest[1])}"
    if isinstance(value, list) and rest and member in _SPARED | _LISTS:
        at = int(rest[0])
        left = [each for place, each in enumerate(value) if place != at and each is not None]
        if left or member in _SPARED:
            part, value[at] = value[at], None
            return f"{member} {_text(part)}"
    elif member in _SPARED and member in held:
        return f"{member} {_text(held.pop(member))}"
    return ""


def _text(part: Any) -> str:  # noqa: ANN401 - a part of a table is anything
    if isinstance(part, dict):
        return str(part.get("model") or part.get("channel") or part.get("member") or "").strip()
    return str(part)


def _close_gaps(held: Table) -> None:
    for member, value in tuple(held.items()):
        if isinstance(value, list) and None in value:
            held[member] = [each for each in value if each is not None]
            if not held[member]:
                del held[member]


def _note_gone(plan: Plan, noun: str, why: str) -> None:
    """Say of a table that it is left, where it was said to be taken."""
    places = [each for each in plan.notes if re.match(rf"{re.escape(noun)}(?:[,:]|$)", each.text)]
    for note in places or [Note(noun, "left", "")]:
        if note in plan.notes:
            plan.notes.remove(note)
        plan.note(note.where, "left", f"{noun}: {why}")


def _follow(plan: Plan) -> None:
    """Leave out what depends on a channel or a model that is gone."""
    channels = {channel["name"] for channel in plan.channels}
    for model in (*plan.models,):
        model["targets"] = [
            each for each in model["targets"] if each.get("channel", "") in {*channels, ""}
        ]
        if not model["targets"]:
            plan.models.remove(model)
            _note_gone(plan, f"model {model['name']}", "none of its channels is taken over")
    models = {model["name"] for model in plan.models}
    for model in plan.models:
        wanted = model.pop("fallbacks", ())
        if found := [each for each in wanted if each in models]:
            model["fallbacks"] = found
        for name in wanted:
            if name not in models:
                plan.note(f"model {model['name']}", "left", f"fallbacks {name}: it is left, too")
    for key in (*plan.api_keys,):
        grant = plan.grants.get(key["name"], {})
        if "channels" in grant:
            grant["channels"] = [each for each in grant["channels"] if each in channels]
            if not grant["channels"]:
                plan.api_keys.remove(key)
                _note_gone(plan, f"API key {key['name']}", "none of its channels is taken over")
