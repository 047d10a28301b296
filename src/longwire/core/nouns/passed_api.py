"""OpenAI's APIs beside conversations: requests of them are routed, and otherwise left as they are.

Their names are those of the turn log, of a channel's `apis` and of its endpoints.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PassedApi:
    """One such API; where it `takes_forms`, a request may bring files as `multipart/form-data`."""

    name: str
    takes_forms: bool = False

    @property
    def path(self) -> str:
        """Where it is called, below a base URL that ends in its version."""
        return f"/{self.name}"


PASSED_APIS = {
    each.name: each
    for each in (
        PassedApi("embeddings"),
        PassedApi("images/generations"),
        PassedApi("images/edits", takes_forms=True),
        PassedApi("audio/speech"),
        PassedApi("audio/transcriptions", takes_forms=True),
        PassedApi("audio/translations", takes_forms=True),
        PassedApi("moderations"),
        PassedApi("completions"),
        PassedApi("rerank"),
    )
}
OPENAI_OFFERS = tuple(name for name in PASSED_APIS if name != "rerank")
"""Those that OpenAI itself has."""
