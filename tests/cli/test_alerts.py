"""Alerts on the command line: rules and destinations by their whole life, and a test."""

import json
import subprocess
import sys

import pytest

from longwire.core.errors import Conflict, InvalidFields, NotFound

MAIL = ("kind=mail", "host=mx", "sender=a@b.c", "recipients=d@e.f, g@h.i")


def settings(*values):
    """`--set` for each of some values."""
    return [word for value in values for word in ("--set", value)]


def test_the_whole_life_of_a_rule(command):
    """Made, listed, changed, deleted; spans are durations."""
    command("alerts", "rules", "create", "mine", *settings("watched=error_rate", "lasts=2m"))
    rules = json.loads(command("alerts", "rules", "list", "--json"))
    (mine,) = [rule for rule in rules if rule["name"] == "mine"]
    assert (0.1, 120) == (mine["threshold"], mine["lasts"])
    command("alerts", "rules", "edit", "mine", *settings("threshold=0.5", "enabled=no"))
    (line,) = [
        each for each in command("alerts", "rules", "list").splitlines() if each.startswith("mine")
    ]
    assert ["≥", "0.5", "15m", "2m", "disabled"] == [
        word for word in line.split() if word in {"≥", "0.5", "15m", "2m", "disabled"}
    ]
    assert "mine: deleted\n" == command("alerts", "rules", "delete", "mine")
    with pytest.raises(NotFound):
        command("alerts", "rules", "edit", "mine")


def test_the_whole_life_of_a_destination(command):
    """A secret that was made is printed once; no list shows it, nor the URL."""
    url = "url=https://hooks.example.org/planted"
    made = command("alerts", "destinations", "create", "ops", *settings("kind=webhook", url))
    assert "whsec_" in made
    command("alerts", "destinations", "create", "people", *settings(*MAIL))
    command("alerts", "destinations", "edit", "people", *settings("port=25"))
    shown = command("alerts", "destinations", "list") + command(
        "alerts", "destinations", "list", "--json"
    )
    assert ("hooks.example.org/…" in shown, "d@e.f, g@h.i" in shown) == (True, True)
    assert ("planted" in shown, "whsec_" in shown) == (False, False)
    rule = ("watched=node_gone", "destinations=people")
    command("alerts", "rules", "create", "mine", *settings(*rule))
    assert "people: deleted\n" == command("alerts", "destinations", "delete", "people")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("rules", "create", "x"), "watched"),
        (("rules", "create", "x", "--set", "watched=moon"), "watched"),
        (("rules", "create", "x", *settings("watched=disk_free", "threshold=7")), "threshold"),
        (("rules", "create", "x", *settings("watched=disk_free", "lasts=7")), "lasts"),
        (
            ("rules", "create", "x", *settings("watched=disk_free", "destinations=a")),
            "destinations",
        ),
        (("destinations", "create", "x"), "kind"),
        (("destinations", "create", "x", *settings("kind=webhook", "url=x")), "url"),
        (("destinations", "create", "x", *settings("kind=mail", "port=many")), "port"),
    ],
)
def test_bad_fields_are_told(command, words, field):
    """Each is named, with what to write."""
    with pytest.raises(InvalidFields, match=field):
        command("alerts", *words)


def test_what_the_file_declares_is_shown_and_not_changed(command, tmp_path):
    """Rules and destinations of the file stand first, and are changed there."""
    text = '[[alert_rules]]\nname = "gone"\nwatched = "node_gone"\ndestinations = ["ops"]\n\n'
    text += '[[alert_destinations]]\nname = "ops"\nkind = "webhook"\nurl = "http://127.0.0.1:9/x"\n'
    (tmp_path / "longwire.toml").write_text(text, encoding="utf-8")
    assert "gone" in command("alerts", "rules", "list").splitlines()[1]
    assert command("alerts", "destinations", "list").splitlines()[1].endswith("file")
    for words in (("rules", "delete", "gone"), ("destinations", "delete", "ops")):
        with pytest.raises(Conflict, match=r"managed by .*longwire\.toml"):
            command("alerts", *words)


def test_a_test_that_fails_says_why(longwire, tmp_path):
    """It ends with 1, so that a script notices."""
    words = settings("kind=webhook", "url=http://127.0.0.1:9/x")
    assert 0 == longwire("alerts", "destinations", "create", "ops", *words).returncode
    tried = longwire("alerts", "test", "ops")
    assert (1, True) == (tried.returncode, "ops: failed; Cannot connect" in tried.stdout)
    as_json = longwire("alerts", "test", "ops", "--json")
    assert (1, "failed") == (as_json.returncode, json.loads(as_json.stdout)["status"])
    assert "alert_not_delivered" not in as_json.stderr
    assert "nothing to be warned of\n" == longwire("alerts", "list").stdout
    assert "no alerts yet\n" == longwire("alerts", "history").stdout


@pytest.mark.process
def test_what_is_logged_is_no_part_of_the_output():
    """A command that logs does so on stderr."""
    program = "from longwire.logger import structlog; structlog.get_logger().warning('told')"
    made = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ("", True) == (made.stdout, "told" in made.stderr)
