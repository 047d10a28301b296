"""What is wrong with a channel that is about to be written: all of it at once, by field."""

from asyncio import to_thread

from longwire.core.errors import ConfigurationError, FieldProblem
from longwire.core.nouns.channel import ChannelSpec
from longwire.dialects.profiles.channels import check_channel
from longwire.server.admin.channel_inputs import ChannelInput, applied, missing
from longwire.upstream.net import tls


async def drafted(
    seen: ChannelSpec, draft: ChannelInput
) -> tuple[ChannelSpec, tuple[FieldProblem, ...]]:
    """Return a channel with a draft put in and every problem that it has, also one of running."""
    spec = applied(seen, draft)
    problems = (*missing(seen, draft), *check_channel(spec))
    if any(each.field == "tlsCa" for each in problems):
        return spec, problems
    return spec, (*problems, *await _of_running(spec))


async def _of_running(spec: ChannelSpec) -> tuple[FieldProblem, ...]:
    """Return why a channel that keeps the rules could not run here."""
    if not spec.tls_ca:
        return ()
    try:
        await to_thread(tls.context, spec.tls_ca, spec.tls_verify)
    except ConfigurationError as error:
        return (FieldProblem("tlsCa", str(error)),)
    return ()
