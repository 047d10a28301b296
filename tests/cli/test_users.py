"""The life of a user on the command line."""

import json

import pytest

from longwire.cli.store import with_store
from longwire.core.errors import Conflict, InvalidFields, NotFound
from longwire.core.nouns.access import Role
from longwire.core.nouns.sign_on import Admission, Person

PASSWORD = "correct horse\n"


def test_the_first_user_is_the_owner(command):
    """Whoever is made first may do everything, the next ones look, unless a role is given."""
    command("users", "create", "ada@example.org", "--name", "Ada", stdin=PASSWORD)
    command("users", "create", "bob@example.org", stdin=PASSWORD)
    command("users", "create", "eve@example.org", "--role", "admin", "--json", stdin=PASSWORD)
    users = json.loads(command("users", "list", "--json"))
    assert ["owner", "viewer", "admin"] == [user["role"] for user in users]
    assert "correct horse" not in json.dumps(users)
    assert "ada@example.org" in command("users", "list").splitlines()[1]


def test_a_password_is_changed(command):
    """A new password is taken from stdin, and from nowhere for somebody unknown."""
    command("users", "create", "ada@example.org", stdin=PASSWORD)
    told = command("users", "passwd", "ada@example.org", stdin="another horse\n")
    assert "ada@example.org: new password, signed out everywhere\n" == told
    assert 2 == json.loads(command("users", "list", "--json"))[0]["revision"]
    with pytest.raises(NotFound, match="no user 'bob@example"):
        command("users", "passwd", "bob@example.org", stdin=PASSWORD)


@pytest.mark.parametrize(
    ("field", "words", "password"),
    [
        ("email", ["nobody"], PASSWORD),
        ("password", ["ada@example.org"], "short\n"),
        ("role", ["ada@example.org", "--role", "king"], PASSWORD),
    ],
)
def test_bad_fields_are_told_and_nobody_is_made(command, field, words, password):
    """Each wrong field is named, and there is nobody afterwards."""
    with pytest.raises(InvalidFields, match=field):
        command("users", "create", *words, stdin=password)
    assert "no users yet" in command("users", "list")


def test_an_email_that_is_taken_is_refused(command):
    """Two users cannot have one email."""
    command("users", "create", "ada@example.org", stdin=PASSWORD)
    with pytest.raises(Conflict, match="already"):
        command("users", "create", "Ada@example.org", stdin=PASSWORD)


def test_how_somebody_signs_in(command):
    """By a password, or by the issuer that knows them; for people and for programs."""
    command("users", "create", "ada@example.org", stdin=PASSWORD)
    person = Person("https://idp.example", "1", "bob@example.org", is_verified=True)

    with_store(
        None, lambda it: it.identities.admit(person, Admission(default_role=Role.VIEWER), "")
    )
    users = json.loads(command("users", "list", "--json"))
    ways = {each["email"]: each["signs_in_by"] for each in users}
    assert {"ada@example.org": ["password"], "bob@example.org": ["https://idp.example"]} == ways
    assert "https://idp.example" in command("users", "list")


def test_a_user_is_changed_kept_out_let_in_and_deleted(command):
    """Every step by their email; a deleted one's budgets go with them."""
    command("users", "create", "ada@example.org", stdin=PASSWORD)
    command("users", "create", "bob@example.org", stdin=PASSWORD)
    sets = ("--set", "role=admin", "--set", "name=Bob B", "--set", "email=b@example.org")
    assert command("users", "edit", "bob@example.org", *sets).startswith("b@example.org: admin")
    told = json.loads(command("users", "disable", "b@example.org", "--json"))
    assert ("disabled", "Bob B") == (told["status"], told["name"])
    assert "admin, active" in command("users", "enable", "b@example.org")
    budget = ("--set", "period=day", "--set", "tokens=5")
    command("budgets", "create", "user", "b@example.org", *budget)
    assert "b@example.org: deleted" in command("users", "delete", "b@example.org")
    assert ["ada@example.org"] == [
        each["email"] for each in json.loads(command("users", "list", "--json"))
    ]
    assert [] == json.loads(command("budgets", "list", "--json"))


@pytest.mark.parametrize(
    ("words", "error", "mend"),
    [
        (("edit", "ada@example.org", "--set", "role=king"), InvalidFields, "owner, admin, viewer"),
        (("edit", "ada@example.org", "--set", "status=gone"), InvalidFields, "active, disabled"),
        (("edit", "ada@example.org", "--set", "colour=red"), InvalidFields, "fields are email"),
        (("edit", "ada@example.org", "--set", "email=nobody"), InvalidFields, "ada@example.org"),
        (("edit", "ada@example.org", "--set", "role=viewer"), Conflict, "last active owner"),
        (("disable", "ada@example.org"), Conflict, "last active owner"),
        (("delete", "ada@example.org"), Conflict, "last active owner"),
        (("delete", "bob@example.org"), NotFound, "no user 'bob@"),
    ],
)
def test_what_cannot_be_is_refused(command, words, error, mend):
    """With the field or the mend."""
    command("users", "create", "ada@example.org", stdin=PASSWORD)
    with pytest.raises(error, match=mend):
        command("users", *words)


def test_a_new_member_is_pointed_to_a_project(longwire, url):
    """They make keys in their projects alone, and begin with none."""
    longwire("users", "create", "ada@example.org", stdin=PASSWORD, **url)
    words = ("users", "create", "bob@example.org", "--role", "member")
    made = longwire(*words, stdin=PASSWORD, **url)
    assert "longwire projects add-user PROJECT bob@example.org" in made.stderr
