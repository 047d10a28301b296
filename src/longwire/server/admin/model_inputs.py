"""The inputs that create and change a model.

Law: a field left out stays as it is, or has the default in a new model; null sets the default.
"""

from dataclasses import replace
from typing import Final

import strawberry

from longwire.core.errors import FieldProblem
from longwire.core.nouns.model import (
    ALWAYS,
    Condition,
    KnownNames,
    Model,
    Target,
    check_model,
    check_names,
)
from longwire.server.admin.administration import Administration
from longwire.server.admin.inputs import changes
from longwire.server.admin.scalars import Int64

NEW: Final = Model("", "")
_FIELDS: Final = ("name", "description", "is_enabled", "projects", "targets", "fallbacks")


@strawberry.input(description="Which turns a target is for; what is left out is any.")
class ConditionInput:
    apis: list[str] | None = None
    streams: bool | None = None
    has_tools: bool | None = None
    min_tokens: Int64 | None = None
    max_tokens: Int64 | None = None
    keys: list[strawberry.ID] | None = None
    projects: list[strawberry.ID] | None = None

    def condition(self) -> Condition:
        """Return it as the core has it."""
        return Condition(
            apis=tuple(self.apis or ()),
            streams=self.streams,
            has_tools=self.has_tools,
            min_tokens=self.min_tokens,
            max_tokens=self.max_tokens,
            keys=tuple(self.keys or ()),
            projects=tuple(self.projects or ()),
        )


@strawberry.input(
    name="ModelTargetInput", description="One channel, by its id or name, or all of a tag."
)
class TargetInput:
    channel: str = ""
    tag: str = ""
    model: str = strawberry.field(
        default="", description="The model's name there; empty is the public one."
    )
    weight: float = 1.0
    order: int = 0
    condition: ConditionInput | None = None

    def target(self) -> Target:
        """Return it as the core has it."""
        condition = self.condition.condition() if self.condition else ALWAYS
        return Target(self.channel, self.tag, self.model, self.weight, self.order, condition)


@strawberry.input(name="ModelInput", description="Left out stays; null sets the default.")
class ModelInput:
    name: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    is_enabled: bool | None = strawberry.UNSET
    projects: list[strawberry.ID] | None = strawberry.UNSET
    targets: list[TargetInput] | None = strawberry.UNSET
    fallbacks: list[str] | None = strawberry.UNSET


async def drafted(
    administration: Administration, seen: Model, draft: ModelInput
) -> tuple[Model, tuple[FieldProblem, ...]]:
    """Return a model with a draft put in, and every problem that it has.

    Only what a draft sets must name what there is: the rest may be of what is gone.
    """
    read = {
        "projects": tuple,
        "fallbacks": tuple,
        "targets": lambda targets: tuple(each.target() for each in targets),
    }
    model = replace(seen, **changes(draft, NEW, _FIELDS, read))
    problems = check_model(model)
    wrong = {_field_of(each) for each in problems}
    fields = {name for name in ("targets", "projects") if getattr(draft, name)} - wrong
    unknown = check_names(model, await _known_names(administration, model)) if fields else ()
    return model, (*problems, *(each for each in unknown if _field_of(each) in fields))


def _field_of(problem: FieldProblem) -> str:
    return problem.field.partition(".")[0]


async def _known_names(administration: Administration, model: Model) -> KnownNames:
    kept = await administration.store.models.known_names(model)
    channels = (
        name for each in administration.declared_channels() for name in (each.id, each.name)
    )
    keys = (each.id for each in administration.declared_keys())
    return kept.plus(KnownNames(frozenset(channels), frozenset(keys)))
