"""Why an answer of Chat Completions ended, in the words of all vendors."""

from typing import Final

LENGTH: Final = "max_output_tokens"
FILTER: Final = "content_filter"
INCOMPLETE: Final = {
    "length": LENGTH,
    "max_tokens": LENGTH,
    "model_length": LENGTH,
    "model_context_window_exceeded": LENGTH,
    "content_filter": FILTER,
    "sensitive": FILTER,
    "safety": FILTER,
}
"""Reasons to end early as the Responses API says them; `sensitive` and
`model_context_window_exceeded` are GLM's words, the length of a model is Mistral's."""
