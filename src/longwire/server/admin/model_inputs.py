"""The inputs that create and change a model.

Law: a field left out stays as it is, or has the default in a new model; null sets the default.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import strawberry

from longwire.core.errors import FieldProblem
from longwire.core.nouns.channel import ChannelSpec
from longwire.core.nouns.model import ALWAYS, Condition, Model, Target, check_model
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


def drafted(
    seen: Model, draft: ModelInput, channels: Iterable[ChannelSpec]
) -> tuple[Model, tuple[FieldProblem, ...]]:
    """Return a model with a draft put in, and every problem that it has."""
    read = {
        "projects": tuple,
        "fallbacks": tuple,
        "targets": lambda targets: tuple(each.target() for each in targets),
    }
    model = replace(seen, **changes(draft, NEW, _FIELDS, read))
    problems = check_model(model)
    if draft.targets and not any(each.field.startswith("targets") for each in problems):
        problems += (*_unknown(model.targets, channels),)
    return model, problems


def _unknown(targets: Iterable[Target], channels: Iterable[ChannelSpec]) -> Iterator[FieldProblem]:
    known = {name for each in channels for name in (each.id, each.name)}
    for number, target in enumerate(targets):
        if target.channel and target.channel not in known:
            mend = f"there is no channel '{target.channel}'; choose one of the list"
            yield FieldProblem(f"targets.{number}.channel", mend)
