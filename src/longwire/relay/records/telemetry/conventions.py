"""The names of OpenTelemetry's conventions for generative AI, as its registry writes them.

https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from longwire.core.nouns.channel import ChannelSpec
from longwire.dialects.profiles.channels import profile_for

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 - the name of an attribute

_OPERATIONS: Final = {
    "responses": "chat",
    "chat_completions": "chat",
    "messages": "chat",
    "generate_content": "generate_content",
    "completions": "text_completion",
}
"""APIs whose operation is named by the conventions; the others are named as they are here."""

_OF_TYPES: Final = {
    "openai": "openai",
    "codex": "openai",
    "anthropic": "anthropic",
    "gemini": "gcp.gemini",
}
_OF_PROFILES: Final = {
    "azure": "azure.ai.openai",
    "gemini-openai": "gcp.gemini",
    "mistral": "mistral_ai",
    "xai": "x_ai",
    "kimi": "moonshot_ai",
}
"""The providers that the registry calls otherwise than the profile is called."""

_PORTS: Final = {"https": 443, "wss": 443, "http": 80, "ws": 80}
_NO_PROFILE: Final = "generic"


class Provider(NamedTuple):
    """Who answers at a channel, and where; "" and 0 are unknown."""

    name: str = ""
    address: str = ""
    port: int = 0

    def attributes(self) -> dict[str, str | int]:
        """Return what spans and metrics say of it."""
        said: dict[str, str | int] = {}
        if self.name:
            said[PROVIDER] = self.name
        if self.address:
            said[SERVER_ADDRESS], said[SERVER_PORT] = self.address, self.port
        return said


NOBODY: Final = Provider()


def operation_of(api: str) -> str:
    """Return what the conventions call what is done over an API."""
    return _OPERATIONS.get(api, api)


def provider_of(spec: ChannelSpec) -> Provider:
    """Return who answers at a channel."""
    url = urlsplit(spec.base_url)
    speaks_chat = "chat_completions" in spec.offered
    profile = profile_for(spec).name if speaks_chat else _NO_PROFILE
    name = _OF_TYPES.get(spec.type, spec.type)
    if profile != _NO_PROFILE:
        name = _OF_PROFILES.get(profile, profile)
    return Provider(name, url.hostname or "", url.port or _PORTS.get(url.scheme, 0))


def said(attributes: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """Leave out what is not known."""
    return {name: value for name, value in attributes.items() if value not in (None, "")}
