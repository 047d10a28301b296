"""What is wrong with an API key, field by field."""

import re
from collections.abc import Iterator

from longwire.core.errors import FieldProblem
from longwire.core.nouns.access import GREATEST, ApiKey, check_limits
from longwire.core.nouns.names import check_name

_WORD = re.compile(r"[^\x00-\x1f\x7f]{1,256}")


def check_key(key: ApiKey, now: int) -> Iterator[FieldProblem]:
    """Yield what is wrong with a key to be kept, field by field."""
    yield from check_name(key.name)
    if not all(_WORD.fullmatch(model) for model in key.grant.models):
        yield FieldProblem("models", "write names or patterns such as gpt-5-*, or leave it empty")
    if not all(_WORD.fullmatch(channel) for channel in key.grant.channels):
        yield FieldProblem("channels", "write ids of channels, or leave it empty for all")
    if key.expires_at is not None and not now < key.expires_at <= GREATEST:
        yield FieldProblem("expiresAt", "must be a time to come, or empty for never")
    yield from check_limits("rates", key.grant.rates)
    yield from check_limits("budgets", key.grant.budgets)
