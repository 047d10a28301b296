"""The life of a budget on the command line."""

import json

import pytest

from longwire.core.errors import Conflict, InvalidFields, NotFound


def _budgets(command):
    return json.loads(command("budgets", "list", "--json"))


def test_a_budget_is_made_listed_changed_and_deleted(command):
    """The list tells whose it is, how much is spent, and when it begins anew in which zone."""
    command("budgets", "zone", "Europe/Berlin")
    sets = ["period=week", "dollars=2.5", "warns_at=50%,90", "action=warn"]
    words = [word for text in sets for word in ("--set", text)]
    line = command("budgets", "create", "project", "Default", *words)
    assert line.startswith("project:prj_default: 2.50 US dollars a week, bud_")
    title, row = command("budgets", "list").splitlines()
    assert "begins anew" in title
    for text in ("project Default", "2.50 US dollars a week", "0%", "warn", "(Europe/Berlin)"):
        assert text in row
    (state,) = _budgets(command)
    budget = state["budget"]
    assert ([50, 90], 2.5) == (budget["warns_at"], budget["amount"])
    command("budgets", "edit", budget["id"], "--set", "dollars=3", "--set", "action=refuse")
    (state,) = _budgets(command)
    assert (3.0, "refuse") == (state["budget"]["amount"], state["budget"]["action"])
    with pytest.raises(InvalidFields, match="one of dollars"):
        command("budgets", "edit", budget["id"], "--set", "tokens=3")
    command("budgets", "delete", budget["id"])
    assert [] == _budgets(command)


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["project", "Default", "--set", "dollars=1"], "period: is missing"),
        (["project", "Default", "--set", "period=day"], "either tokens=… or dollars=…"),
        (["project", "Default", "--set", "period=year"], "period"),
        (
            ["user", "nobody@example.org", "--set", "period=day", "--set", "tokens=1"],
            "no such user",
        ),
        (["project", "Default", "--set", "period=day", "--set", "tokens=0"], "more than 0"),
    ],
)
def test_bad_input_is_refused_with_the_mend(command, words, mend):
    """Field by field."""
    with pytest.raises(InvalidFields, match=mend):
        command("budgets", "create", *words)


def test_budgets_of_keys_are_changed_at_their_keys(command):
    """They are listed like others, by UTC; an id that there is not is none."""
    command("keys", "create", "ci", "--set", "tokens_per_day=5")
    (state,) = _budgets(command)
    assert ("UTC", 5) == (state["zone"], state["budget"]["amount"])
    with pytest.raises(Conflict, match="longwire keys edit key_"):
        command("budgets", "delete", state["budget"]["id"])
    with pytest.raises(NotFound):
        command("budgets", "delete", "bud_gone")


def test_a_budget_of_what_the_file_does_not_declare_is_refused(command):
    """Whatever looks like an id of the file's."""
    words = ("--set", "period=day", "--set", "tokens=1")
    with pytest.raises(InvalidFields, match="the file declares no such key"):
        command("budgets", "create", "key", "file:nope", *words)


@pytest.mark.parametrize("amount", ["1e300", "inf", "nan"])
def test_an_amount_that_nothing_holds_is_refused(command, amount):
    """With the most that it may be, or what a number looks like."""
    words = ("--set", "period=day", "--set", f"dollars={amount}")
    with pytest.raises(InvalidFields, match=r"dollars: write (9,223,372,036 US dollars|a number)"):
        command("budgets", "create", "project", "Default", *words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("budgets", "zone", "Nowhere"), "longwire: ZONE: write a zone"),
        (("budgets", "create", "user", "x", "--set", "period=day", "--set", "tokens=1"), "NAME: "),
        (("keys", "create", "a", "--set", "requests_per_minute=0"), " requests_per_minute: must"),
        (
            ("channels", "add", "a", "--set", "base_url=ftp://x", "--set", "api_key=k"),
            " base_url: ",
        ),
        (("channels", "add", "a", "--set", "overrides=nope"), " overrides: write a JSON list"),
    ],
)
def test_fields_are_called_as_the_options_are(longwire, url, words, told):
    """Not as the API calls them; in one line."""
    done = longwire(*words, **url)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("database: ")]
    assert (1, 1) == (done.returncode, len(lines))
    assert told in lines[0]
