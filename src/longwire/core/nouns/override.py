"""What a channel sets, defaults or removes in requests; JSON is `dialects/override_values`' to see.

Law: what continuity or the gateway itself owns, and what carries credentials, is no override's to
change. All is said in the terms of the upstream's API, whatever API the client speaks.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from longwire.core.errors import FieldProblem
from longwire.core.nouns.renames import check_pattern
from longwire.core.nouns.secret import Secret
from longwire.core.nouns.sent_headers import check_header, is_header_value

ACTIONS = ("set", "default", "remove")
_OF_CONTINUITY = frozenset(
    {"input", "previous_response_id", "conversation", "messages", "contents", "thread", "store"}
)
_OF_THE_GATEWAY = frozenset({"stream", "background", "generate", "type", "stream_id"})
_PATH = re.compile(r"[^\s.\x00-\x1f\x7f]{1,100}(?:\.[^\s.\x00-\x1f\x7f]{1,100}){0,15}")
_MOST, _LONGEST = 64, 65_536


@dataclass(frozen=True)
class Override:
    """One operation on a `member`, by its dotted path, or on a `header`; the other one is "".

    `value` is JSON of a member, `header_value` the text of a header, which may be a secret; what is
    removed has neither. Without `models` it holds for all that are sent upstream, without `apis`
    for those of conversations.
    """

    action: str
    member: str = ""
    header: str = ""
    value: str = ""
    models: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    header_value: Secret = Secret("")

    @cached_property
    def path(self) -> tuple[str, ...]:
        """The names that lead to the member."""
        return tuple(self.member.split("."))

    @property
    def has_value(self) -> bool:
        """Whether there is anything that it puts in."""
        return bool(self.value or self.header_value)

    @cached_property
    def raw(self) -> bytes:
        """The value of a member as raw JSON."""
        return self.value.encode()

    def is_for(self, model: str, api: str, conversations: Sequence[str]) -> bool:
        """Whether it is about a model, by the name that is sent, in an API of the upstream."""
        if api not in (self.apis or conversations):
            return False
        return not self.models or any(
            pattern in ("*", model) or fnmatchcase(model, pattern) for pattern in self.models
        )


def check_overrides(
    overrides: Sequence[Override], apis: Sequence[str], own_headers: Collection[str] = ()
) -> Iterator[FieldProblem]:
    """Yield what is wrong with overrides, by field, as `overrides.0.member`.

    `own_headers`, in lower case, are added to every request anyway.
    """
    if len(overrides) > _MOST:
        yield FieldProblem("overrides", f"has at most {_MOST} operations; leave some out")
    for number, override in enumerate(overrides):
        for field, message in _problems(override, apis):
            yield FieldProblem(f"overrides.{number}.{field}", message)
        if override.header.lower() in own_headers:
            mend = "is among the channel's headers, which come last; change or remove it there"
            yield FieldProblem(f"overrides.{number}.header", mend)


def _problems(override: Override, apis: Sequence[str]) -> Iterator[tuple[str, str]]:
    if override.action not in ACTIONS:
        yield "action", f"must be one of {', '.join(ACTIONS)}"
    if bool(override.member) == bool(override.header):
        yield "member", "name a member or a header, one of them"
    elif override.member and (problem := check_member(override.member)):
        yield "member", problem
    elif override.header and (problem := check_header(override.header)):
        yield "header", problem
    if (problem := _check_value(override)) is not None:
        yield "value", problem
    for pattern in override.models:
        if (problem := check_pattern(pattern)) is not None:
            yield "models", problem
    if not {*override.apis} <= {*apis}:
        yield "apis", f"must be one of {', '.join(apis)}"


def check_member(path: str) -> str | None:
    """Return why a member cannot be changed, None if it can."""
    top = path.partition(".")[0]
    if not _PATH.fullmatch(path):
        return "must be names joined by dots, as in reasoning.effort"
    if top == "model":
        return "is what routing goes by; write renames instead"
    if top in _OF_CONTINUITY:
        return f"{top} is what sessions go on by; a request keeps its own"
    if top in _OF_THE_GATEWAY:
        return f"{top} is set by the gateway; leave it out"
    return None


def _check_value(override: Override) -> str | None:
    if override.action == "remove":
        mend = "has no place where something is removed; leave it out"
        return mend if override.has_value else None
    if override.header:
        text = override.header_value.reveal()
        if not text:
            return "is missing; write the header's value, which stays only with its header"
        return None if is_header_value(text) else "must be printable ASCII"
    return f"has at most {_LONGEST} characters" if len(override.value) > _LONGEST else None
