from dataclasses import replace

import pytest

from longwire.core.nouns.account import SOON_MS, STALE_MS, Account, Tokens, is_due, lives
from longwire.core.nouns.secret import Secret

NOW = 1_790_000_000_000
TOKENS = Tokens(Secret("at"), Secret("rt"))


@pytest.mark.parametrize(
    ("expires_at", "refreshed_at", "due", "alive"),
    [
        (None, None, False, True),
        (NOW + SOON_MS + 1, NOW, False, True),
        (NOW + SOON_MS, NOW, True, True),
        (NOW + 1, NOW, True, True),
        (NOW, NOW, True, False),
        (NOW + 10 * STALE_MS, NOW - STALE_MS + 1, False, True),
        (NOW + 10 * STALE_MS, NOW - STALE_MS, True, True),
        (None, NOW - STALE_MS, True, True),
    ],
)
def test_tokens_are_renewed_before_they_die(expires_at, refreshed_at, due, alive):
    """Five minutes before its end, or eight days old, a token is due; it lives to its end."""
    tokens = replace(TOKENS, expires_at=expires_at)
    account = Account("acc_1", "ch_1", tokens, refreshed_at=refreshed_at)
    assert (due, alive) == (is_due(account, NOW), lives(account, NOW))


def test_a_plain_key_is_never_due():
    """There is nothing to renew it with."""
    tokens = Tokens(Secret("sk-1"), expires_at=NOW)
    assert not is_due(Account("acc_1", "ch_1", tokens, refreshed_at=0), NOW)
