"""Every member of a request of Chat Completions, and what becomes of it: one table.

What is not in it is no member of this API: it is left out, and named.
"""

from collections.abc import Mapping
from typing import NamedTuple

from longwire.core.errors import InvalidRequest
from longwire.dialects.fields import invalid
from longwire.dialects.members import LIMITED, PENALTY, SEEDED, Fate, Member

_SAME, _TRANSLATED, _REFUSED = Fate.SAME, Fate.TRANSLATED, Fate.REFUSED
MEMBERS: Mapping[str, Member] = {
    "model": Member(_SAME, "As it is."),
    "messages": Member(_TRANSLATED, "The `input`, item by item."),
    "stream": Member(_TRANSLATED, "Whether the answer comes in chunks."),
    "stream_options": Member(
        _TRANSLATED,
        "`include_usage` is answered by the gateway, `include_obfuscation` is sent as it is.",
    ),
    "max_completion_tokens": Member(_TRANSLATED, LIMITED),
    "max_tokens": Member(_TRANSLATED, "Likewise, where `max_completion_tokens` is absent."),
    "reasoning_effort": Member(_TRANSLATED, "`reasoning.effort`."),
    "reasoning": Member(
        _TRANSLATED,
        "OpenRouter's: `effort`, `enabled` and `summary` are `reasoning`; unless it says "
        "`exclude`, reasoning is shown; `max_tokens` is left out.",
    ),
    "include_reasoning": Member(_TRANSLATED, "OpenRouter's: whether reasoning is shown."),
    "verbosity": Member(_TRANSLATED, "`text.verbosity`."),
    "response_format": Member(_TRANSLATED, "`text.format`; a JSON schema is flattened."),
    "tools": Member(
        _TRANSLATED,
        "Flattened, functions and custom tools alike; `strict` is false unless it is set.",
        ([],),
    ),
    "tool_choice": Member(_TRANSLATED, "Flattened, `allowed_tools` too."),
    "parallel_tool_calls": Member(_SAME, "As it is."),
    "functions": Member(
        _TRANSLATED, "Tools, called one at a time; calls come back as `function_call`.", ([],)
    ),
    "function_call": Member(_TRANSLATED, "`tool_choice`."),
    "logprobs": Member(_TRANSLATED, "`include`: `message.output_text.logprobs`."),
    "top_logprobs": Member(_TRANSLATED, "As it is, where `logprobs` is true."),
    "web_search_options": Member(
        _TRANSLATED, "A tool of the type `web_search`; the location is flattened."
    ),
    "temperature": Member(_SAME, "As it is."),
    "top_p": Member(_SAME, "As it is."),
    "metadata": Member(_SAME, "As it is."),
    "store": Member(_TRANSLATED, "As it is; false where it is absent, as in this API."),
    "user": Member(_SAME, "As it is."),
    "safety_identifier": Member(_SAME, "As it is."),
    "prompt_cache_key": Member(_SAME, "As it is; it names the session, too."),
    "prompt_cache_retention": Member(_SAME, "As it is."),
    "prompt_cache_options": Member(_SAME, "As it is."),
    "moderation": Member(_SAME, "As it is."),
    "service_tier": Member(_SAME, "As it is."),
    "stop": Member(
        Fate.EMULATED,
        "Sent where the upstream's API has it; the gateway cuts the text there, and ends the turn.",
        ([], ""),
    ),
    "n": Member(_REFUSED, "More than one choice is refused: send the request again instead.", (1,)),
    "modalities": Member(
        _REFUSED, "Anything but text is refused: there is no audio.", (["text"], [])
    ),
    "audio": Member(_REFUSED, "Refused: there is no audio."),
    "logit_bias": Member(_REFUSED, "Refused where it biases anything.", ({},), (0,)),
    "frequency_penalty": Member(_TRANSLATED, PENALTY, (0,)),
    "presence_penalty": Member(_TRANSLATED, PENALTY, (0,)),
    "seed": Member(_TRANSLATED, SEEDED),
    "prediction": Member(Fate.DROPPED, "Left out: it is a hint to be faster."),
}
"""Members of the API by name."""


class Checked(NamedTuple):
    """The members that ask for something, and the names of those that are left out.

    The `refusal` is of the first one that changes the answer and that nothing stands for.
    """

    kept: dict[str, bytes]
    dropped: list[str]
    refusal: InvalidRequest | None


def checked(members: Mapping[str, bytes]) -> Checked:
    """Tell members by what becomes of them."""
    kept: dict[str, bytes] = {}
    dropped: list[str] = []
    refusal: InvalidRequest | None = None
    for name, raw in members.items():
        if raw == b"null":
            continue
        row = MEMBERS.get(name)
        if row is None or row.fate is Fate.DROPPED:
            dropped.append(name)
        elif row.is_neutral(raw):
            continue
        elif row.fate is Fate.REFUSED:
            fault = f"has no equivalent in other APIs. {row.sentence[:-1]}"
            refusal = refusal or invalid(name, fault)
            dropped.append(name)
        else:
            kept[name] = raw
    return Checked(kept, dropped, refusal)
