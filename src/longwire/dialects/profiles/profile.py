"""What one vendor does differently from the API it speaks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Choice = Literal["auto", "none", "required", "named", "allowed_tools"]
"""How a model may be made to choose among its tools; `named`: one function by its name."""

EFFORTS: Final[Mapping[str, Mapping[str, Any]]] = {
    effort: {"reasoning_effort": effort}
    for effort in ("none", "minimal", "low", "medium", "high", "xhigh", "max")
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A vendor's differences. `issuer` names who can read what it seals, and nobody else.

    A vendor is known by the ends of its `hosts`. `max_output` pairs names of models, or patterns,
    with the most tokens that they take; of `efforts` each has the members that say it.
    Reasoning goes back as the member `reasoning` of messages that call tools, or of all
    `reasoning_turns`; where it is not known, "" stands there if the vendor insists on the member.
    Schemas of answers are sent as such, or stand in the prompt beside a wish for any JSON, or
    both. `extra_members` are those that the vendor takes as OpenAI does, beside what all take.
    Where the tokens of reasoning are beside those of the output, both are what it cost.
    """

    name: str
    issuer: str = ""
    hosts: tuple[str, ...] = ()
    token_member: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # noqa: S105
    max_output: Mapping[str, int] = field(default_factory=dict, hash=False)
    efforts: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: EFFORTS, hash=False)
    reasoning: Literal["", "reasoning_content", "reasoning"] = ""
    reasoning_turns: Literal["calls", "all"] = "calls"
    needs_reasoning: bool = False
    has_think_tags: bool = False
    strips_leading_space: bool = False
    tool_choices: tuple[Choice, ...] = ("auto", "none", "required", "named")
    takes_strict: bool = True
    takes_parallel: bool = True
    inlines_refs: bool = False
    schemas: Literal["sent", "prompt", "both"] = "sent"
    call_ids: Literal["any", "nine"] = "any"
    takes_developer: bool = False
    one_system_message: bool = False
    takes_text_parts: bool = True
    takes_result_images: bool = False
    takes_files: bool = True
    takes_audio: bool = True
    takes_refusals: bool = False
    extra_members: tuple[str, ...] = ()
    takes_stream_options: bool = True
    has_reasoning_beside: bool = False
    needs_finish: bool = True


GENERIC: Final = Profile("generic")
"""Who does nothing differently, as far as is known."""
