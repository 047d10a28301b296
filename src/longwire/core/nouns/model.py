"""A model as callers know it: a public name, and who serves it in which order.

Law: a name with a model goes to its targets, and to its fallbacks once none of those serves.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from longwire.core.errors import FieldProblem
from longwire.core.nouns.channel import APIS
from longwire.core.nouns.renames import is_pattern
from longwire.core.nouns.weight import WEIGHT_MEND, is_weight

MOST_TARGETS = 64
MOST_FALLBACKS = 16
GREATEST_ORDER = 1_000
_NAME = re.compile(r"[^\x00-\x20\x7f]{1,256}")
_WORD = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_LONGEST_DESCRIPTION = 2_000


@dataclass(frozen=True, slots=True)
class Condition:
    """Which turns a target is for; what is empty or None is any.

    `apis` are those that the client speaks, `keys` and `projects` are ids. An input of `min_tokens`
    is at least so large by an estimate, one of `max_tokens` at most.
    """

    apis: tuple[str, ...] = ()
    streams: bool | None = None
    has_tools: bool | None = None
    min_tokens: int | None = None
    max_tokens: int | None = None
    keys: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    @property
    def counts_tokens(self) -> bool:
        """Whether the size of the input counts."""
        return self.min_tokens is not None or self.max_tokens is not None


ALWAYS = Condition()


@dataclass(frozen=True, slots=True)
class Target:
    """Where a model is served: by one `channel`, by its id or name, or by all of a `tag`.

    `model` is its name there, "" for the public one. A lower `order` comes first; among targets of
    the same order sessions are shared out by `weight` times that of the channel.
    """

    channel: str = ""
    tag: str = ""
    model: str = ""
    weight: float = 1.0
    order: int = 0
    condition: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class Model:
    """A public name; `projects` are the ids of those whose keys may use it, none of them means all.

    `fallbacks` are other names, whose own fallbacks do not count. Times in ms since 1970 UTC.
    """

    id: str
    name: str
    description: str = ""
    is_enabled: bool = True
    projects: tuple[str, ...] = ()
    targets: tuple[Target, ...] = field(default=())
    fallbacks: tuple[str, ...] = ()
    created_at: int = 0
    updated_at: int = 0
    revision: int = 0
    is_declared: bool = False

    def serves_project(self, project_id: str) -> bool:
        """Whether keys of a project may use it."""
        return not self.projects or project_id in self.projects


class KnownNames(NamedTuple):
    """What a model can name: channels by their ids and names, keys and projects by their ids."""

    channels: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()

    def plus(self, declared: "KnownNames") -> "KnownNames":
        """Return these names and those of the file."""
        return KnownNames(*(own | more for own, more in zip(self, declared, strict=True)))


def check_names(model: Model, known: KnownNames) -> Iterator[FieldProblem]:
    """Yield what a model names that there is not, by field."""
    yield from _unknown("projects", model.projects, known.projects)
    for number, target in enumerate(model.targets):
        place, condition = f"targets.{number}", target.condition
        if target.channel and target.channel not in known.channels:
            mend = f"there is no channel '{target.channel}'; write the name or id of one"
            yield FieldProblem(f"{place}.channel", mend)
        yield from _unknown(f"{place}.condition.keys", condition.keys, known.keys)
        yield from _unknown(f"{place}.condition.projects", condition.projects, known.projects)


def _unknown(field: str, ids: Collection[str], known: Collection[str]) -> Iterator[FieldProblem]:
    if unknown := [each for each in ids if each not in known]:
        yield FieldProblem(field, f"there is none of the id {', '.join(unknown)}; leave it out")


def check_model(model: Model) -> tuple[FieldProblem, ...]:
    """Return every problem of a model by field, as `targets.0.channel`; none for a good one."""
    return (*_fields(model), *_targets(model.targets), *_fallbacks(model))


def _fields(model: Model) -> Iterator[FieldProblem]:
    if not _NAME.fullmatch(model.name):
        yield FieldProblem("name", "write 1 to 256 printable characters without spaces")
    elif is_pattern(model.name):
        yield FieldProblem("name", "is one name, no pattern; leave out '*', '?' and '['")
    if len(model.description) > _LONGEST_DESCRIPTION:
        yield FieldProblem("description", f"has at most {_LONGEST_DESCRIPTION} characters")
    if not model.targets:
        yield FieldProblem("targets", "name at least one channel or tag that serves it")
    if len(model.targets) > MOST_TARGETS:
        yield FieldProblem("targets", f"are {MOST_TARGETS} at most")
    if not _are_words(model.projects):
        yield FieldProblem("projects", "write ids of projects, or leave it empty for all")


def _targets(targets: Collection[Target]) -> Iterator[FieldProblem]:
    seen: set[Target] = set()
    for number, target in enumerate(targets):
        place = f"targets.{number}"
        if bool(target.channel) == bool(target.tag):
            yield FieldProblem(f"{place}.channel", "name a channel, or a tag, one of both")
        elif target in seen:
            yield FieldProblem(f"{place}.channel", "stands twice; change or remove one")
        seen.add(target)
        tests = (
            ("channel", _are_words(filter(None, (target.channel,))), "has at most 256 characters"),
            ("tag", _are_words(filter(None, (target.tag,))), "has at most 256 characters"),
            ("model", not target.model or _NAME.fullmatch(target.model), "write its name there"),
            ("model", not is_pattern(target.model), "is sent as it stands; write the one name"),
            ("weight", is_weight(target.weight), WEIGHT_MEND),
            ("order", 0 <= target.order <= GREATEST_ORDER, f"must be 0 to {GREATEST_ORDER}"),
        )
        yield from (FieldProblem(f"{place}.{name}", mend) for name, ok, mend in tests if not ok)
        yield from _condition(f"{place}.condition", target.condition)


def _condition(place: str, condition: Condition) -> Iterator[FieldProblem]:
    least, most = condition.min_tokens, condition.max_tokens
    if not {*condition.apis} <= {*APIS}:
        yield FieldProblem(f"{place}.apis", f"write one of {', '.join(APIS)}")
    if not _are_words(condition.keys):
        yield FieldProblem(f"{place}.keys", "write ids of API keys, or leave it empty for all")
    if not _are_words(condition.projects):
        yield FieldProblem(f"{place}.projects", "write ids of projects, or leave it empty for all")
    if least is not None and least < 0:
        yield FieldProblem(f"{place}.minTokens", "must be 0 or more, or empty")
    if most is not None and most < (least or 0):
        yield FieldProblem(f"{place}.maxTokens", "must be at least minTokens, or empty")


def _fallbacks(model: Model) -> Iterator[FieldProblem]:
    if len(model.fallbacks) > MOST_FALLBACKS:
        yield FieldProblem("fallbacks", f"are {MOST_FALLBACKS} at most")
    for number, name in enumerate(model.fallbacks):
        problem = None
        if not _NAME.fullmatch(name) or is_pattern(name):
            problem = "write the name of another model"
        elif name == model.name:
            problem = "is this model itself; name another one"
        elif name in model.fallbacks[:number]:
            problem = f"{name} stands twice; keep one"
        if problem is not None:
            yield FieldProblem(f"fallbacks.{number}", problem)


def _are_words(words: object) -> bool:
    return all(_WORD.fullmatch(each) for each in words)  # type: ignore[attr-defined]
