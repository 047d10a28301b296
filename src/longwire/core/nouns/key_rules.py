"""What is wrong with an API key, field by field."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from longwire.core.errors import FieldProblem
from longwire.core.nouns.access import ApiKey

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_WORD = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_GREATEST: Final = 2**63 - 1
_FIELDS: Final = {
    "requests_per_minute": "rates.requestsPerMinute",
    "tokens_per_minute": "rates.tokensPerMinute",
    "concurrent_turns": "rates.concurrentTurns",
    "tokens_per_day": "budgets.tokensPerDay",
    "tokens_per_month": "budgets.tokensPerMonth",
    "cost_per_day": "budgets.costPerDay",
    "cost_per_month": "budgets.costPerMonth",
}


def check_key(key: ApiKey, now: int) -> tuple[FieldProblem, ...]:
    """Return what is wrong with a key to be kept, field by field."""
    return tuple(_problems(key, now))


def _problems(key: ApiKey, now: int) -> Iterator[FieldProblem]:
    if not _NAME.fullmatch(key.name) or not key.name.strip():
        yield FieldProblem("name", "write 1 to 100 printable characters")
    if not all(_WORD.fullmatch(model) for model in key.grant.models):
        yield FieldProblem("models", "write names or patterns such as gpt-5-*, or leave it empty")
    if not all(_WORD.fullmatch(channel) for channel in key.grant.channels):
        yield FieldProblem("channels", "write ids of channels, or leave it empty for all")
    if key.expires_at is not None and not now < key.expires_at <= _GREATEST:
        yield FieldProblem("expiresAt", "must be a time to come, or empty for never")
    for name, limit in {**asdict(key.grant.rates), **asdict(key.grant.budgets)}.items():
        if limit is not None and not 1 <= limit <= _GREATEST:
            yield FieldProblem(_FIELDS[name], "must be 1 or more; leave it empty for no limit")
