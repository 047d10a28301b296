"""A secret is shown to nobody, and what looks like one in others' words is left out."""

import pytest

from longwire.core.nouns.secret import Secret, concealed


def test_a_secret_tells_nothing():
    """However it is printed; only who asks for it gets it."""
    secret = Secret("planted")
    assert ("***", "***", "***") == (repr(secret), str(secret), f"{secret}")
    assert "planted" == secret.reveal()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Incorrect API key provided: sk-proj-ab12*****cd.", "Incorrect API key provided: ***"),
        ("key lw_5Zb1uXq9-rT_0aa is off", "key *** is off"),
        ("sent Authorization: Bearer abcdef== twice", "sent Authorization: Bearer *** twice"),
        ("token eyJhbGciOi.eyJzdWIiOi.c2ln_x expired", "token *** expired"),
        ("the task-based sk-1 model gpt-5.2-codex", "the task-based sk-1 model gpt-5.2-codex"),
        ("No tool output found for call_abc123def.", "No tool output found for call_abc123def."),
        ("", ""),
    ],
)
def test_keys_and_tokens_in_words_are_left_out(text, shown):
    """All of them, and nothing of what is none."""
    assert shown == concealed(text)
