"""Every member of a request of the Responses API, and what becomes of it in Chat Completions.

What is not in the table is sent to vendors that take it, and is else left out and named.
"""

from collections.abc import Mapping
from typing import Final

from longwire.dialects.members import Fate, Member

_SAME, _TRANSLATED, _DROPPED = Fate.SAME, Fate.TRANSLATED, Fate.DROPPED
SAID: Final[Mapping[str, Member]] = {
    "model": Member(_SAME, "As it is."),
    "instructions": Member(_TRANSLATED, "The first message of the system."),
    "tools": Member(
        _TRANSLATED, "Functions; custom tools, too; what only OpenAI runs is left out.", ([],)
    ),
    "tool_choice": Member(_TRANSLATED, "As it is, where the vendor knows it.", ("auto",)),
    "parallel_tool_calls": Member(_TRANSLATED, "As it is, where there are tools."),
    "max_output_tokens": Member(_TRANSLATED, "`max_tokens` or `max_completion_tokens`."),
    "reasoning": Member(_TRANSLATED, "`effort` as the vendor says it; a summary is not asked for."),
    "text": Member(_TRANSLATED, "`response_format`, and `verbosity` where the vendor takes it."),
    "include": Member(_TRANSLATED, "`message.output_text.logprobs` is `logprobs`.", ([],)),
    "top_logprobs": Member(_TRANSLATED, "As it is, with `logprobs`.", (0,)),
    "temperature": Member(_SAME, "As it is."),
    "top_p": Member(_SAME, "As it is."),
    "stream_options": Member(_TRANSLATED, "Usage is always asked for."),
    "store": Member(_DROPPED, "Left out: the gateway keeps what is to be named again."),
    "truncation": Member(_DROPPED, "Left out: nothing is cut.", ("disabled",)),
    "client_metadata": Member(_DROPPED, "Left out: it is about the client."),
    "context_management": Member(_DROPPED, "Left out: the client shortens its history.", ([],)),
    "service_tier": Member(_DROPPED, "Left out where the vendor has none.", ("auto", "default")),
    "metadata": Member(_DROPPED, "Left out where the vendor takes none.", ({},)),
    "prompt": Member(Fate.REFUSED, "Refused: a template is kept by its own upstream."),
    "conversation": Member(Fate.REFUSED, "Refused: its own upstream keeps it."),
    "generate": Member(Fate.REFUSED, "Refused where it is false: nothing is prepared.", (True,)),
    "max_tool_calls": Member(Fate.REFUSED, "Refused: it is about tools that OpenAI runs."),
}
"""Members of the API by name."""
