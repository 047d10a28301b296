"""The trial of a channel: two turns over its real transport, in one of its APIs."""

from typing import Annotated

import strawberry

from longwire.core.nouns.access import Permission
from longwire.core.nouns.channel import ChannelSpec
from longwire.relay.channels.probe import Probed
from longwire.server.admin.channels import find
from longwire.server.admin.context import Info, admitted
from longwire.server.admin.inputs import view_of


@strawberry.input(
    description="Which channel and model, null for the first it names; and in which of its APIs, "
    "null for the one that turns of the Responses API go by."
)
class TestChannelInput:
    channel_id: strawberry.ID
    model_id: str | None = None
    api_format: str | None = None


Choice = Annotated[TestChannelInput, strawberry.argument(name="input")]


@strawberry.type(name="TestChannelPayload", description="How two turns over a channel went.")
class Trial:
    """How two turns over a channel went; null is what it did not come to."""

    success: bool
    error: str | None
    api: str = strawberry.field(description="The API that the upstream was asked in.")
    transport: str
    model: str
    handshake_ms: float | None
    first_event_ms: float | None
    continued: bool = strawberry.field(description="Whether the second turn continued the first.")
    cached_tokens: int | None
    dropped: list[str] = strawberry.field(
        description="Members of the turns that the API has no equivalent for."
    )


def _shown(probed: Probed, spec: ChannelSpec) -> Trial:
    error = _without_secrets(probed.error, spec) or None
    dropped = list(probed.dropped)
    return view_of(Trial, probed, success=not probed.error, error=error, dropped=dropped)


def _without_secrets(text: str, spec: ChannelSpec) -> str:
    """Return what an upstream said without what it was sent: some repeat a wrong key."""
    for secret in (spec.credential, spec.proxy, *(value for _, value in spec.headers)):
        text = text.replace(secret.reveal(), "***") if secret else text
    return text


async def _test(info: Info, choice: Choice) -> Trial:
    _, administration = admitted(info, Permission.CHANNELS_WRITE)
    spec = await find(administration, choice.channel_id)
    model, api = choice.model_id or None, choice.api_format or ""
    return _shown(await administration.probe(spec, model, api), spec)


@strawberry.type
class ProbeMutations:
    test_channel: Trial = strawberry.field(
        resolver=_test, description="Spends a few tokens: two short turns are really sent."
    )
