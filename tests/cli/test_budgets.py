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
