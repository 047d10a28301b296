"""What overrides change, on the command line."""

import json

import pytest

from longwire.core.errors import InvalidFields

OVERRIDES = json.dumps(
    [
        {"action": "set", "member": "reasoning.effort", "value": "low"},
        {"action": "set", "header": "x-team", "value": "blue"},
    ]
)


@pytest.fixture
def channel(command, monkeypatch):
    """A channel with overrides."""
    monkeypatch.setenv("UPSTREAM_KEY", "sk-planted")
    words = ("--set", "api_key=${UPSTREAM_KEY}", "--set", f"overrides={OVERRIDES}")
    command("channels", "add", "up", *words)
    return "up"


def test_a_preview_shows_members_and_headers(command, channel):
    """A line for each, without and with; `show` has the overrides themselves."""
    lines = command("channels", "preview", channel).splitlines()
    assert "gpt-5.2 in responses" == lines[0]
    assert ["reasoning.effort", '"medium"', '"low"'] == lines[2].split()
    assert ["header", "x-team", "–", "***"] == lines[3].split()
    assert 'override: set reasoning.effort = "low"' in command("channels", "show", channel)


def test_the_value_of_a_header_is_kept_and_never_shown(command, channel):
    """Nor is what was written told where it is wrong; a header without a value keeps its own."""
    for words in (("show", channel), ("show", channel, "--json"), ("list", "--json")):
        shown = command("channels", *words)
        assert "blue" not in shown
        assert "***" in shown
    kept = json.dumps([{"action": "set", "header": "x-team", "models": ["gpt-5*"]}])
    assert "***" in command("channels", "preview", channel, "--overrides", kept)
    command("channels", "edit", channel, "--set", f"overrides={kept}")
    assert "override: set header x-team = *** of gpt-5*" in command("channels", "show", channel)
    wrong = json.dumps([{"header": "x-team", "value": "planted"}])
    with pytest.raises(InvalidFields, match=r"\[0\]\.action: Field required") as refused:
        command("channels", "edit", channel, "--set", f"overrides={wrong}")
    assert "planted" not in str(refused.value)


def test_others_can_be_tried_before_they_are_saved(command, channel):
    """None at all change nothing; bad ones are refused as the channel's own would be."""
    assert "nothing changes" in command("channels", "preview", channel, "--overrides", "[]")
    bad = json.dumps([{"action": "set", "member": "input", "value": []}])
    with pytest.raises(InvalidFields, match="sessions go on by"):
        command("channels", "preview", channel, "--overrides", bad)
