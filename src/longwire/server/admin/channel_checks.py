"""Faults of a channel that show only where it runs: reported by field before it is written."""

from asyncio import to_thread

from longwire.core.errors import ConfigurationError, FieldProblem, InvalidFields
from longwire.core.nouns.channel import ChannelSpec
from longwire.upstream.net import tls


async def check_runs(spec: ChannelSpec) -> None:
    """Raise `InvalidFields` for a channel that keeps the rules and yet could not run here."""
    if not spec.tls_ca or "\0" in spec.tls_ca:
        return
    try:
        await to_thread(tls.context, spec.tls_ca, spec.tls_verify)
    except ConfigurationError as error:
        raise InvalidFields([FieldProblem("tlsCa", str(error))]) from error
