"""The life of an invitation on the command line."""

import json
import re
from urllib.parse import unquote

import pytest

from longwire.cli.store import with_store
from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.core.nouns.access import Role
from longwire.core.nouns.people import User
from longwire.core.nouns.secret import Secret

PASSWORD = "correct horse\n"


def token_of(link):
    """What stands behind the `#`, as the page reads it."""
    return unquote(link.strip().partition("/join#")[2])


def accepted(link, email):
    """Come in by a link; returns the user."""
    user, password = User("", email, "", Role.VIEWER), Secret("another horse")
    return with_store(None, lambda it: it.invitations.accept(token_of(link), user, password))


def test_a_link_lets_somebody_in_once(command):
    """With the role and the project that it was made for; then it is good no more."""
    command("users", "create", "ada@example.org", stdin=PASSWORD)
    command("projects", "create", "apps")
    link = command("users", "invite", "Bob@example.org", "--role", "member", "--project", "apps")
    assert re.fullmatch(r"http://127\.0\.0\.1:8090/join#\S+\n", link)
    listed = command("users", "invitations")
    assert "bob@example.org" in listed
    assert "apps" in listed
    assert token_of(link) not in listed + command("users", "invitations", "--json")
    assert accepted(link, "bob@example.org").role is Role.MEMBER
    assert json.loads(command("projects", "show", "apps", "--json"))["members"] == [
        "bob@example.org"
    ]
    assert "no open invitations" in command("users", "invitations")
    with pytest.raises(InvalidFields, match="not good"):
        accepted(link, "eve@example.org")


def test_the_first_who_comes_is_the_owner(command):
    """Whoever is invited before anybody is there; the next ones look, unless a role is given."""
    link = command("users", "invite")
    assert accepted(link, "ada@example.org").role is Role.OWNER
    told = json.loads(command("users", "invite", "--json"))
    assert ("viewer", "", None) == tuple(
        told["invitation"][name] for name in ("role", "email", "project_id")
    )
    assert told["link"].endswith(f"/join#{told['token']}")
    assert accepted(told["link"], "bob@example.org").role is Role.VIEWER


def test_the_link_leads_where_browsers_go(command, monkeypatch):
    """The public URL, with its path, where it is set."""
    monkeypatch.setenv("LONGWIRE_SERVER__PUBLIC_URL", "https://ai.example.org/longwire/")
    assert command("users", "invite").startswith("https://ai.example.org/longwire/join#")


def test_an_invitation_is_revoked(command):
    """By its id or its email, and its link is good no more; the audit log names both."""
    one = command("users", "invite", "bob@example.org")
    other = json.loads(command("users", "invite", "--role", "admin", "--json"))
    told = json.loads(command("users", "revoke-invitation", "BOB@example.org", "--json"))
    assert told["email"] == "bob@example.org"
    revoked = command("users", "revoke-invitation", other["invitation"]["id"])
    assert revoked.startswith("whoever has the link: revoked")
    for link in (one, other["link"]):
        with pytest.raises(InvalidFields, match="not good"):
            accepted(link, "bob@example.org")
    rows = with_store(None, lambda it: it.audit.page(kind="invitation")).items
    assert ["revoke", "revoke", "create", "create"] == [row.action for row in rows]
    assert {"command line"} == {row.actor.name for row in rows}
    assert "bob@example.org" == rows[-1].noun.name


def test_one_of_several_is_named_by_its_id(command):
    """Two can be for one email: a command that would take either back takes none."""
    for _ in range(2):
        command("users", "invite", "bob@example.org")
    with pytest.raises(Conflict, match="by its id: inv_"):
        command("users", "revoke-invitation", "bob@example.org")
    assert 2 == len(json.loads(command("users", "invitations", "--json")))


@pytest.mark.parametrize(
    ("words", "error", "mend"),
    [
        (("invite", "nobody"), InvalidFields, "email: write an address"),
        (("invite", "ada@example.org"), InvalidFields, "belongs to a user already"),
        (("invite", "--role", "king"), InvalidFields, "owner, admin, viewer"),
        (("invite", "--project", "none"), NotFound, "no project 'none'"),
        (("revoke-invitation", "inv_none"), NotFound, "no open invitation 'inv_none'"),
        (("revoke-invitation", ""), NotFound, "no open invitation ''"),
    ],
)
def test_what_cannot_be_is_refused(command, words, error, mend):
    """With the field or the mend, and nobody is invited, and no invitation gone."""
    command("users", "create", "ada@example.org", stdin=PASSWORD)
    command("users", "invite")
    with pytest.raises(error, match=mend):
        command("users", *words)
    assert 1 == len(json.loads(command("users", "invitations", "--json")))


def test_what_keeps_somebody_out_is_told(longwire, url):
    """On stderr, with the mend, so that stdout has the link alone."""
    only = {"LONGWIRE_OIDC__ISSUER": "https://idp.example", "LONGWIRE_OIDC__ONLY_OIDC": "true"}
    only |= {"LONGWIRE_OIDC__CLIENT_ID": "longwire", "LONGWIRE_OIDC__DEFAULT_ROLE": "viewer"}
    made = longwire("users", "invite", "--role", "member", **url, **only)
    assert made.stdout.count("\n") == 1
    mends = ("server.public_url", "single sign-on", "--project PROJECT", "shown this once")
    assert [mend for mend in mends if mend not in made.stderr] == []
