"""The life of a project on the command line."""

import json

import pytest

from longwire.core.errors import Conflict, InvalidFields, NotFound


def test_a_project_is_made_changed_archived_and_deleted(command):
    """By its name or its id; each step is in the list."""
    command("projects", "create", "apps", "--set", "description=What users see")
    command("projects", "edit", "apps", "--set", "name=web")
    assert "What users see" in command("projects", "show", "web")
    assert command("projects", "archive", "web").startswith("web: archived, prj_")
    command("projects", "edit", "web", "--set", "status=active")
    assert "web: deleted\n" == command("projects", "delete", "web")
    assert ["Default"] == [
        each["name"] for each in json.loads(command("projects", "list", "--json"))
    ]
    with pytest.raises(NotFound, match="web"):
        command("projects", "show", "web")


def test_what_keys_of_members_may_have_is_set(command):
    """Models, channels by name, rates and budgets; nothing takes a bound away."""
    command("channels", "add", "up", "--set", "api_key=sk")
    sets = ("models=gpt-5-*", "channels=up", "requests_per_minute=60", "cost_per_day=2.5")
    command("projects", "create", "apps", *(word for text in sets for word in ("--set", text)))
    (channel,) = json.loads(command("channels", "list", "--json"))
    bounds = json.loads(command("projects", "show", "apps", "--json"))["member_bounds"]
    assert (["gpt-5-*"], [channel["id"]]) == (bounds["models"], bounds["channels"])
    assert (60, 2.5) == (
        bounds["rates"]["requests_per_minute"],
        bounds["budgets"]["cost_per_day"],
    )
    assert "60 requests/min, $2.50 a day" in command("projects", "list")
    command("projects", "edit", "apps", "--set", "cost_per_day=")
    assert "$2.50" not in command("projects", "list")


@pytest.mark.parametrize(
    ("words", "error", "mend"),
    [
        (("create", "Default"), Conflict, "Default"),
        (("create", "a", "--set", "colour=red"), InvalidFields, "fields are name"),
        (("create", "a", "--set", "requests_per_minute=0"), InvalidFields, "memberBounds"),
        (("create", "a", "--set", "requests_per_minute=x"), InvalidFields, "a whole number"),
        (("create", "a", "--set", "status=gone"), InvalidFields, "one of active, archived"),
        (("archive", "Default"), Conflict, "cannot be archived"),
        (("delete", "Default"), Conflict, "cannot be deleted"),
    ],
)
def test_what_cannot_be_is_refused(command, words, error, mend):
    """With the field or the mend."""
    with pytest.raises(error, match=mend):
        command("projects", *words)


def test_a_project_with_keys_stays(command):
    """A key is put into it by its name, and it cannot be deleted then."""
    command("projects", "create", "apps")
    command("keys", "create", "ci", "--set", "project=apps")
    assert "  apps  " in command("keys", "list")
    with pytest.raises(Conflict, match="archive it instead"):
        command("projects", "delete", "apps")


def test_somebody_is_put_into_a_project_and_out_of_it(command, longwire, url, tmp_path):
    """By their email; keys of theirs there, which go on, are named with the mend."""
    command("users", "create", "ada@example.org", stdin="correct horse\n")
    command("projects", "create", "apps")
    assert "ada@example.org: belongs to apps\n" == command(
        "projects", "add-user", "apps", "ada@example.org"
    )
    assert "ada@example.org" in command("projects", "show", "apps")
    command("keys", "create", "hers", "--set", "project=apps", "--set", "user=ada@example.org")
    (key,) = json.loads(command("keys", "list", "--json"))
    words, home = ("projects", "remove-user", "apps", "ada@example.org"), str(tmp_path)
    removed = longwire(*words, XDG_DATA_HOME=home, **url)
    assert "ada@example.org: belongs to apps no longer\n" == removed.stdout
    assert "longwire keys revoke" in removed.stderr
    assert key["id"] in removed.stderr
    assert "ada@example.org" not in command("projects", "show", "apps")


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("add-user", "none", "ada@example.org"), "no project 'none'"),
        (("add-user", "Default", "bob@example.org"), "no user 'bob@"),
        (("remove-user", "Default", "ada@example.org"), "no member of 'Default' 'ada@"),
    ],
)
def test_who_or_what_there_is_not_is_named(command, words, mend):
    """A project, a user, and a user who does not belong to it."""
    command("users", "create", "ada@example.org", stdin="correct horse\n")
    with pytest.raises(NotFound, match=mend):
        command("projects", *words)
