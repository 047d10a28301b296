"""What `longwire turns tail` and `list` are asked for: one option for each filter of the log."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast

import typer

from longwire.core.errors import FieldProblem, InvalidFields, NotFound, refuse
from longwire.core.nouns.channel import ALL_APIS
from longwire.core.rules.continuity import Reason as Reasons

if TYPE_CHECKING:
    from longwire.settings import Settings
    from longwire.store.store import Store
    from longwire.store.turn_filter import TurnFilter

_APIS: Final = (*ALL_APIS, "responses/compact", "responses/input_tokens")
_OUTCOMES: Final = (
    *("completed", "incomplete", "failed", "cancelled", "abandoned"),
    *("refused", "overloaded", "upstream_error", "internal_error"),
)
"""How turns end."""

Key = Annotated[str, typer.Option(help="Of the key of this name or id.")]
Model = Annotated[str, typer.Option(help="That asked for this model.")]
Channel = Annotated[str, typer.Option(help="Of the channel of this name or id.")]
Project = Annotated[str, typer.Option(help="Of the project of this name or id.")]
Session = Annotated[str, typer.Option(help="Of the session that clients call so.")]
Reason = Annotated[str, typer.Option(help="Those alone that were not continued for that.")]
Outcome = Annotated[str, typer.Option(help="That ended so, as completed or failed.")]
Api = Annotated[str, typer.Option(help="Of clients of this API.")]
Failed = Annotated[bool, typer.Option("--failed", help="That failed.")]
Since = Annotated[str, typer.Option(help="That ended since, as 24h or 7d; or a date.")]


@dataclass(frozen=True, slots=True)
class TurnFilters:
    """The filters as they were written; "" is any."""

    key: Key = ""
    model: Model = ""
    channel: Channel = ""
    project: Project = ""
    session: Session = ""
    reason: Reason = ""
    outcome: Outcome = ""
    api: Api = ""
    failed: Failed = False
    since: Since = ""

    def __post_init__(self) -> None:
        """Raise `InvalidFields` for words that are none."""
        known = {"reason": [each.value for each in Reasons], "outcome": _OUTCOMES, "api": _APIS}
        problems = (
            FieldProblem(
                name, f"'{getattr(self, name)}' is no {name}; write one of {', '.join(words)}"
            )
            for name, words in known.items()
            if getattr(self, name) not in ("", *words)
        )
        refuse(problems)

    async def of(self, store: "Store", settings: "Settings") -> "TurnFilter":
        """Return what is looked for. Raises `NotFound`, and `InvalidFields` for a time."""
        from longwire.cli.usage import beginning
        from longwire.store.turn_filter import TurnFilter

        wanted = TurnFilter(
            model=self.model,
            session=self.session,
            reason=self.reason,
            outcome=self.outcome,
            api=self.api,
            has_failed=self.failed,
            since=beginning(self.since) if self.since else None,
        )
        if self.project:
            project = await store.projects.find(self.project)
            wanted = replace(wanted, project_ids=(project.id,))
        return replace(
            wanted,
            key_id=await _subject(store, settings, "key", self.key),
            channel_id=await _subject(store, settings, "channel", self.channel),
        )


async def _subject(
    store: "Store", settings: "Settings", kind: Literal["key", "channel"], name: str
) -> str:
    """Return the id of a key or a channel by its name; an id stays."""
    from longwire.core.nouns.budget import SubjectKind

    declared = settings.api_keys if kind == "key" else settings.channels
    if not name or name.startswith(_PREFIXES[kind]):
        return name
    if any(each.name == name for each in declared):
        return f"file:{name}"
    if found := await store.budgets.find_subject(SubjectKind(kind), name):
        return found
    if kind == "key" and len(named := await store.keys.named(name)) > 1:
        ids = ", ".join(each.id for each in named)
        raise InvalidFields([FieldProblem("key", f"{len(named)} are called '{name}': {ids}")])
    raise NotFound(kind, name)


_PREFIXES: Final = {"key": ("key_", "file:"), "channel": ("ch_", "file:")}


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each filter, and call it with the `TurnFilters` of them."""
    options = inspect.signature(TurnFilters).parameters
    own = inspect.signature(command).parameters

    @wraps(command)
    def with_filters(**values: object) -> None:
        filters = {name: values.pop(name) for name in options}
        command(cast("type", TurnFilters)(**filters), **values)

    rest = [each for name, each in own.items() if name != "filters"]
    signature = inspect.Signature(
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*options.values(), *rest)]
    )
    with_filters.__signature__ = signature  # type: ignore[attr-defined]
    with_filters.__annotations__ = {
        each.name: each.annotation for each in signature.parameters.values()
    }
    return with_filters
