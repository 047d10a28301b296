"""What one vendor does differently from the API it speaks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, get_args

from msgspec import Meta

Choice = Literal["auto", "none", "required", "named", "allowed_tools"]
"""How a model may be made to choose among its tools; `named`: one function by its name."""

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Wish = Literal["stop", "seed", "frequency_penalty", "presence_penalty"]
"""Members that clients of other APIs know, too, by other names."""

Efforts = Mapping[str, Mapping[Effort, Mapping[str, Any]]]
"""Models by pattern, each with its efforts, each with the members of a body that ask for it."""

EFFORTS: Final[Efforts] = {
    "*": {effort: {"reasoning_effort": effort} for effort in get_args(Effort)}
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A vendor's differences, each a setting of its own; docs/reference/profiles.md lists them.

    `issuer` names who can read what it seals, and nobody else. A vendor is known by the ends of its
    `hosts`. Of models that are named, or their patterns, the first one that fits counts.
    """

    name: str
    issuer: str = ""
    hosts: tuple[str, ...] = ()
    token_member: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # noqa: S105
    max_output: Mapping[str, Annotated[int, Meta(ge=1)]] = field(default_factory=dict, hash=False)
    efforts: Efforts = field(default_factory=lambda: EFFORTS, hash=False)
    reasoning: Literal["", "reasoning_content", "reasoning"] = ""
    reasoning_turns: Literal["calls", "all"] = "calls"
    needs_reasoning: bool = False
    has_think_tags: bool = False
    strips_leading_space: bool = False
    tool_choices: tuple[Choice, ...] = ("auto", "none", "required", "named")
    forces_while_thinking: bool = True
    takes_strict: bool = True
    takes_parallel: bool = True
    inlines_refs: bool = False
    schemas: Literal["sent", "prompt", "both"] = "sent"
    call_ids: Literal["any", "nine"] = "any"
    signs_calls: bool = False
    refuses_unknown: bool = False
    takes_developer: bool = False
    one_system_message: bool = False
    takes_text_parts: bool = True
    takes_result_images: bool = False
    takes_files: bool = True
    takes_audio: bool = True
    takes_refusals: bool = False
    extra_members: tuple[str, ...] = ()
    wishes: tuple[Wish, ...] = ("stop", "seed", "frequency_penalty", "presence_penalty")
    takes_stream_options: bool = True
    has_reasoning_beside: bool = False
    needs_finish: bool = True


GENERIC: Final = Profile("generic")
"""Who does nothing differently, as far as is known."""

MEANINGS: Final[Mapping[str, str]] = {
    "issuer": "Who can read what it sealed; without one no reasoning is sent back.",
    "hosts": "Ends of the hosts by which it is known, or of their ports.",
    "token_member": "What the most tokens of an answer are called.",
    "max_output": "The most tokens that models take, by name or pattern.",
    "efforts": "The members that ask for an effort, by model and effort; others are left out.",
    "reasoning": "The member of a message by which reasoning goes back; none sends none back.",
    "reasoning_turns": "Which messages bring it back: those that call tools, or all.",
    "needs_reasoning": "Whether an empty text stands there where it is not known.",
    "has_think_tags": "Whether thoughts may stand in the text, between <think> and </think>.",
    "strips_leading_space": "Whether white space before a text is left out.",
    "tool_choices": "How a model may be made to choose; what else is asked for is refused.",
    "forces_while_thinking": "Whether a function can be forced while the model thinks.",
    "takes_strict": "Whether functions and schemas may be strict.",
    "takes_parallel": "Whether it takes parallel_tool_calls.",
    "inlines_refs": "Whether schemas are sent without references.",
    "schemas": "Whether the schema of an answer is sent, stands in the prompt, or both.",
    "call_ids": "What ids of calls look like: nine stands for nine letters and digits.",
    "signs_calls": "Whether calls bring its signatures back; a dummy stands where there is none.",
    "refuses_unknown": "Whether reasoning in members that are not its own is refused.",
    "takes_developer": "Whether it knows the role developer; else that is system.",
    "one_system_message": "Whether it takes one message of the system alone, the first one.",
    "takes_text_parts": "Whether a content may be several texts; else they are joined.",
    "takes_result_images": "Whether results of tools may hold images; else the user shows them.",
    "takes_files": "Whether contents may hold files.",
    "takes_audio": "Whether contents may hold audio.",
    "takes_refusals": "Whether messages have a refusal beside their text; else it is the text.",
    "extra_members": "Members that it takes as OpenAI does, beside those that all take.",
    "wishes": "Which it takes of stop, seed and the two penalties.",
    "takes_stream_options": "Whether usage must be asked for; else it comes anyway.",
    "has_reasoning_beside": "Whether tokens of reasoning are counted beside those of the output.",
    "needs_finish": "Whether an answer without a reason for its end is broken off.",
}
"""What each setting means."""
