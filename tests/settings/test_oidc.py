"""The section `oidc`: what is missing or wrong is said with its mend, and what is right is read."""

import pytest

from longwire.core.nouns.access import Role
from longwire.settings.oidc import Oidc, single_sign_on_of

GOOD = 'issuer = "https://login.example.org"\nclient_id = "longwire"\ndefault_role = "viewer"\n'


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("https:", "http:", "issuer: write its URL with https"),
        ("login.example.org", "login.example.org?x=1", "issuer: write its URL with https"),
        ('client_id = "longwire"', "", "client_id is missing"),
        ('default_role = "viewer"', "", "nobody could come in; map groups in oidc.roles"),
        ('default_role = "viewer"', 'default_role = "king"', "default_role: must be 'none'"),
        ('default_role = "viewer"', 'roles = { a = "king" }', "roles.a: must be"),
        ('default_role = "viewer"', 'roles = ["a"]', "roles: is no table"),
        ("default_role", 'scopes = ["email"]\ndefault_role', 'scopes lacks "openid"'),
    ],
)
def test_what_is_wrong(problems, before, after, words):
    """In one line, which names the key."""
    assert before in GOOD
    (problem,) = problems("[oidc]\n" + GOOD.replace(before, after))
    assert "FILE: oidc" in problem
    assert words in problem


def test_a_table_from_the_environment(read):
    """Is JSON; what is not set has its default, and a secret is not shown."""
    settings = read(
        f"[oidc]\n{GOOD}",
        LONGWIRE_OIDC__ROLES='{"ops": "admin"}',
        LONGWIRE_OIDC__CLIENT_SECRET="planted",
    )
    config = single_sign_on_of(settings.oidc)
    assert ((("ops", Role.ADMIN),), Role.VIEWER) == (
        config.admission.roles,
        config.admission.default_role,
    )
    assert "planted" == config.client.client_secret.reveal()
    assert "planted" not in repr(settings) + repr(config)


def test_without_an_issuer_there_is_none():
    """People sign in with passwords alone."""
    assert single_sign_on_of(Oidc()) is None
