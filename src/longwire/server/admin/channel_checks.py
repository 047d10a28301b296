"""Faults of a channel that show only where it runs: reported by field before it is written."""

from asyncio import to_thread

from longwire.core.errors import ConfigurationError, FieldProblem, InvalidFields
from longwire.core.nouns.channel import ChannelSpec
from longwire.dialects.profiles.known import check_profile, check_quirks
from longwire.upstream.net import tls


async def check_runs(spec: ChannelSpec) -> None:
    """Raise `InvalidFields` for a channel that keeps the rules and yet could not run here."""
    found = (("profile", check_profile(spec.profile)), ("quirks", check_quirks(spec.quirks)))
    problems = [FieldProblem(field, problem) for field, problem in found if problem is not None]
    if problems:
        raise InvalidFields(problems)
    if not spec.tls_ca or "\0" in spec.tls_ca:
        return
    try:
        await to_thread(tls.context, spec.tls_ca, spec.tls_verify)
    except ConfigurationError as error:
        raise InvalidFields([FieldProblem("tlsCa", str(error))]) from error
