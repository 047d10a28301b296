"""Alert rules and destinations that the file declares."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from longwire.core.errors import ConfigurationError
from longwire.core.nouns.alert import Watched
from longwire.settings import Settings, load
from longwire.settings.alerts import destination_of, rule_of

HOOK = {"name": "ops", "kind": "webhook", "url": "https://a.b/c"}
RULE = {"name": "gone", "watched": "node_gone"}


def test_a_rule_has_the_usual_threshold_of_what_it_watches():
    """Its id is that of the file, and so are those of its destinations."""
    rule = {"name": "full", "watched": "disk_free", "destinations": ["ops"], "lasts": "2m"}
    settings = Settings(alert_rules=(rule,), alert_destinations=(HOOK,))
    found = rule_of(settings.alert_rules[0])
    assert ("file:full", Watched.DISK_FREE, 0.1, 120, ("file:ops",), True) == (
        found.id,
        found.watched,
        found.threshold,
        found.lasts,
        found.destinations,
        found.is_declared,
    )


def test_a_destination_shows_no_secret():
    """Neither in the settings nor as it is kept."""
    settings = Settings(alert_destinations=({**HOOK, "url": "https://a.b/planted"},))
    destination = destination_of(settings.alert_destinations[0])
    assert ("planted" in repr(settings), "planted" in repr(destination)) == (False, False)
    assert "https://a.b/planted" == destination.webhook.url.reveal()


@pytest.mark.parametrize(
    ("tables", "mend"),
    [
        ({"alert_destinations": ({**HOOK, "url": "x"},)}, "url: write an address"),
        ({"alert_destinations": ({"name": "m", "kind": "mail"},)}, "host: write the name"),
        ({"alert_destinations": (HOOK, HOOK)}, 'name "ops" stands 2 times'),
        ({"alert_rules": ({**RULE, "watched": "moon"},)}, "Input should be 'channel_resting'"),
        ({"alert_rules": ({**RULE, "least_turns": 0},)}, "least_turns: must be 1"),
        ({"alert_rules": ({**RULE, "destinations": ["x"]},)}, r"no \[\[alert_destinations\]\]"),
    ],
)
def test_a_bad_table_is_refused_with_the_mend(tables, mend):
    """A gateway does not start with what it would not send."""
    with pytest.raises(ValidationError, match=mend):
        Settings(**tables)


def test_an_unknown_destination_is_named_with_the_known_ones(tmp_path: Path) -> None:
    """A rule that informs an undeclared destination is refused with file, place and mend."""
    file = tmp_path / "longwire.toml"
    file.write_text(
        '[[alert_destinations]]\nname = "ops"\nkind = "webhook"\nurl = "https://a.example/x"\n'
        '[[alert_rules]]\nname = "r"\nwatched = "error_rate"\ndestinations = ["nix"]\n'
    )

    with pytest.raises(ConfigurationError) as refused:
        load(file, {})

    expected = (
        f"{file}: alert_rules[0].destinations: no [[alert_destinations]] is named "
        '"nix"; known here: ops; declare it, or leave the list out to inform all'
    )
    assert expected in str(refused.value)
