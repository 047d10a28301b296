"""The tables of the file that declare models: public names with the targets that serve them."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from longwire.core.nouns.model import GREATEST_ORDER, Condition, check_model
from longwire.core.nouns.model import Model as ModelSpec
from longwire.core.nouns.model import Target as TargetSpec
from longwire.settings.checks import FromText, Section, SpokenApis, Weight, Words


class Target(Section):
    """Who serves a model, and which turns: what is left out of the latter is any."""

    channel: str = Field("", description="A channel, by its name or id; or else a `tag`.")
    tag: str = Field("", description="All channels that have this tag.")
    model: str = Field("", description="The model's name there. Default: the public one.")
    weight: Weight = Field(
        1.0,
        description="Share of the sessions among targets of the same order, times the channel's.",
    )
    order: int = Field(0, ge=0, le=GREATEST_ORDER, description="Targets of a lower one come first.")
    apis: SpokenApis | None = Field(None, description="Turns of clients that speak these APIs.")
    streams: bool | None = Field(
        None, description="Turns that are streamed, or those that are not."
    )
    has_tools: bool | None = Field(None, description="Turns with tools, or those without.")
    min_tokens: int | None = Field(
        None, ge=0, description="Turns whose input has at least so many tokens, by an estimate."
    )
    max_tokens: int | None = Field(
        None, ge=0, description="Turns whose input has at most so many tokens, by an estimate."
    )
    keys: Words = Field(
        (), description="Turns of these API keys, by their ids: `file:NAME` is one of this file."
    )
    projects: Words = Field((), description="Turns of these projects, by their ids.")

    @property
    def spec(self) -> TargetSpec:
        """The target as the gateway knows it."""
        condition = Condition(
            self.apis or (),
            self.streams,
            self.has_tools,
            self.min_tokens,
            self.max_tokens,
            self.keys,
            self.projects,
        )
        return TargetSpec(self.channel, self.tag, self.model, self.weight, self.order, condition)


class Model(Section):
    """A public name of a model and who serves it; shown in the web interface as managed by file."""

    name: str = Field(description="Unique; what callers ask for.")
    description: str = Field("", description="What it is for.")
    enabled: bool = Field(default=True, description="Serve it; else it is refused.")
    projects: Words = Field(
        (), description="Projects whose keys may use it, by their ids. Default: all."
    )
    fallbacks: Words = Field(
        (), description="Other models that are tried, one after the other, where no target serves."
    )
    targets: Annotated[tuple[Target, ...], FromText] = Field(
        (), description="Who serves it, at least one."
    )

    @property
    def spec(self) -> ModelSpec:
        """The model as the gateway knows it; its id is `file:` and its name."""
        return ModelSpec(
            id=f"file:{self.name}",
            name=self.name,
            description=self.description,
            is_enabled=self.enabled,
            projects=self.projects,
            targets=tuple(each.spec for each in self.targets),
            fallbacks=self.fallbacks,
            is_declared=True,
        )

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        if problems := check_model(self.spec):
            raise ValueError("; ".join(f"{each.field}: {each.message}" for each in problems))
        return self
