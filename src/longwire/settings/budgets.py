"""The tables of the file that declare budgets, and where their days begin."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from longwire.core.errors import InvalidFields
from longwire.core.nouns.budget import Action, Period, SubjectKind, Unit, check_budget
from longwire.core.nouns.budget import Budget as KeptBudget
from longwire.core.nouns.price import nano_of
from longwire.core.rules.calendar import check_zone
from longwire.settings.checks import Dollars, FromText, Section

Subject = Literal["key", "user", "project", "channel"]


class Calendar(Section):
    """Where days, weeks and months of budgets begin."""

    time_zone: str = Field(
        "",
        description="A zone of the IANA database, such as `Europe/Berlin`. Default: what the web "
        "interface sets, else `UTC`. Weeks begin on Monday. The budgets that keys have by "
        "themselves stay those of UTC days and months.",
    )

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            check_zone(name or "UTC")
        except InvalidFields as error:
            raise ValueError(error.problems[0].message) from None
        return name


class Budget(Section):
    """What somebody may spend; shown in the web interface as managed by file."""

    of: Subject = Field(description="Whose it is: `key`, `user`, `project` or `channel`.")
    name: str = Field(min_length=1, description="Their name; a user's is their email.")
    period: Literal["day", "week", "month"] = Field(description="In what time.")
    tokens: int | None = Field(None, ge=1, description="So many tokens, in and out.")
    dollars: Dollars | None = Field(None, gt=0, description="Or so many US dollars.")
    warn_at: Annotated[tuple[int, ...], FromText] = Field(
        (80,), description="Shares of it, in percent, that are warned at."
    )
    action: Literal["refuse", "warn"] = Field(
        "refuse", description="What becomes of turns once it is spent: `refuse`, or only `warn`."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.tokens is None) is (self.dollars is None):
            raise ValueError("write either tokens or dollars")
        for problem in check_budget(self.budget()):
            if problem.field != "subjectID":
                raise ValueError(f"{problem.field} {problem.message}")
        return self

    def budget(self) -> KeptBudget:
        """Return it as the core has it, of nobody yet."""
        return KeptBudget(
            f"file:{self.of}:{self.name}:{self.period}:{'dollars' if self.dollars else 'tokens'}",
            SubjectKind(self.of),
            "",
            Period(self.period),
            Unit.DOLLARS if self.dollars else Unit.TOKENS,
            nano_of(self.dollars) if self.dollars else self.tokens or 0,
            self.warn_at,
            Action(self.action),
            is_declared=True,
        )
