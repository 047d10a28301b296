import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longwire.core.errors import InvalidFields
from longwire.core.nouns.account import Login, Owner, Tokens
from longwire.core.nouns.secret import Secret
from longwire.dialects.codex.auth import (
    decode_answer,
    decode_auth_json,
    decode_refusal,
    expiry_of,
)

CLAIMS = {
    "exp": 1_790_000_000,
    "https://api.openai.com/auth": {
        "chatgpt_account_id": "acct-1",
        "chatgpt_plan_type": "plus",
    },
    "https://api.openai.com/profile": {"email": "ada@example.org"},
}


def jwt(claims):
    """An unsigned token."""
    parts = (json.dumps(each).encode() for each in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts) + "."


def auth_json(**tokens):
    members = {"access_token": jwt(CLAIMS), "refresh_token": "rt-1", "id_token": "it", **tokens}
    content = {"tokens": members, "OPENAI_API_KEY": None, "last_refresh": "2026-11-01T00:00:00Z"}
    return json.dumps(content)


def test_an_auth_json_is_read_with_its_claims():
    """Whose account it is, what plan it has, and when its token dies, stand in the token."""
    login = decode_auth_json(auth_json())
    assert Owner("ada@example.org", "acct-1", "plus") == login.owner
    assert ("rt-1", 1_790_000_000_000) == (
        login.tokens.refresh.reveal(),
        login.tokens.expires_at,
    )
    assert 1_793_491_200_000 == login.refreshed_at


def test_the_account_id_beside_opaque_tokens_counts():
    """A token that is no JWT claims nothing; then the file itself says whose it is."""
    login = decode_auth_json(auth_json(access_token="opaque", account_id="acct-2"))
    assert ("acct-2", None) == (login.owner.account_id, login.tokens.expires_at)
    with pytest.raises(InvalidFields, match="account's id"):
        decode_auth_json(auth_json(access_token="opaque"))


@pytest.mark.parametrize("text", ["a b", "a\r\nx-evil: 1", "ä", "\x00"])
def test_no_claim_becomes_a_header_that_breaks_out(text):
    """What no header can carry is taken for untold."""
    claims = {**CLAIMS, "https://api.openai.com/auth": {"chatgpt_account_id": text}}
    with pytest.raises(InvalidFields):
        decode_auth_json(auth_json(access_token=jwt(claims)))
    with pytest.raises(InvalidFields, match="no usable access_token"):
        decode_auth_json(auth_json(access_token=text))


def test_what_an_answer_leaves_out_stays():
    """Each token of an answer is optional; those before it stay in use."""
    tokens = Tokens(Secret("at-1"), Secret("rt-1"), Secret("it-1"))
    before = Login(tokens, Owner("ada@example.org", "acct-1", "plus"))
    login = decode_answer(b'{"access_token": "at-2", "expires_in": 60}', 1_000, before)
    tokens = (login.tokens.access, login.tokens.refresh, login.tokens.identity)
    assert ["at-2", "rt-1", "it-1"] == [each.reveal() for each in tokens]
    assert (61_000, 1_000) == (login.tokens.expires_at, login.refreshed_at)
    assert before.owner == login.owner
    with pytest.raises(ValueError, match="no access token"):
        decode_answer(b"{}", 0)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"code": "refresh_token_reused", "message": "No."}}, "refresh_token_reused"),
        ({"error": "invalid_grant", "error_description": "No."}, "invalid_grant"),
        ({"code": "x", "message": "No."}, "x"),
        ({"detail": "No."}, ""),
    ],
)
def test_refusals_come_in_several_shapes(body, expected):
    """OAuth's own form, and the one of the issuer's API, say the same."""
    assert (expected, "No.") == decode_refusal(json.dumps(body).encode())


@given(st.binary(max_size=60))
def test_nothing_that_an_issuer_says_breaks_it(raw):
    """Garbage is an answer without a code."""
    decode_refusal(raw)
    text = raw.decode("latin-1")
    expiry_of(Secret(text))
    with pytest.raises(InvalidFields):
        decode_auth_json(text)
