"""The life of a model on the command line, and where its turns would go."""

import json

import pytest

from longwire.core.errors import Conflict, InvalidFields, NotFound

DECLARED = """
[[channels]]
name = "main"
api_key = "sk-planted"
tags = ["cheap"]

[[api_keys]]
name = "dev"
key = "lw-planted-key"

[[models]]
name = "declared"
[[models.targets]]
channel = "main"
model = "gpt-5"
"""


@pytest.fixture
def config(tmp_path):
    """A file with a channel, a key and a model; the option that names it."""
    path = tmp_path / "models.toml"
    path.write_text(DECLARED, encoding="utf-8")
    return ("--config", str(path))


def test_the_whole_life_of_a_model(command, config):
    """Created, shown, changed and deleted; targets keep their order and what they ask."""
    created = command(
        "models",
        "create",
        "smart",
        "--target=channel=main model=gpt-5 weight=2 has_tools=yes min_tokens=10",
        "--target=tag=cheap order=1 apis=responses,messages",
        "--set=fallbacks=o9",
        *config,
    )
    assert created.startswith("smart: main:gpt-5, tag cheap, mdl_")
    shown = command("models", "show", "smart", *config)
    assert [
        "smart: enabled",
        "  0  main:gpt-5  weight 2  if has_tools=yes min_tokens=10",
        "  1  tag cheap  weight 1  if apis=responses,messages",
        "  else o9",
    ] == shown.splitlines()
    command("models", "edit", "smart", "--set=enabled=no", "--set=name=wise", *config)
    declared, stored = json.loads(command("models", "list", "--json", *config))
    assert ("declared", True) == (declared["name"], declared["is_declared"])
    assert ("wise", False, 2) == (stored["name"], stored["is_enabled"], len(stored["targets"]))
    command("models", "delete", "wise", *config)
    with pytest.raises(NotFound):
        command("models", "show", "wise", *config)


def test_what_the_file_declares_is_changed_there(command, config):
    """And a name of the file is given to nothing else."""
    target = "--target=channel=main"
    for words in (["edit", "declared", "--set=enabled=no"], ["create", "declared", target]):
        with pytest.raises(Conflict, match=r"managed by .*models\.toml"):
            command("models", *words, *config)


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ("channel=gone", "targets.0.channel"),
        ("channel=main weight=much", "targets.0.weight"),
        ("channel=main weight=0", "targets.0.weight"),
        ("channel=main weight=1e308", "targets.0.weight"),
        ("channel=main keys=file:dev,file:nobody", "targets.0.condition.keys"),
        ("channel=main projects=prj_none", "targets.0.condition.projects"),
        ("channel=main apis=smtp", "targets.0.condition.apis"),
        ("channel=main colour=red", "targets.0.colour"),
    ],
)
def test_bad_targets_are_refused_by_field(command, config, target, field):
    """With the number of the target, and nothing is written."""
    with pytest.raises(InvalidFields) as refused:
        command("models", "create", "smart", f"--target={target}", *config)
    assert [field] == [each.field for each in refused.value.problems]
    assert "smart" not in command("models", "list", *config)


def test_why_says_where_a_turn_would_go(command, config):
    """For a model, for any other name, and for a key; each refusal with its reason."""
    command("models", "create", "smart", "--target=channel=main has_tools=yes", *config)
    refused = command("models", "why", "smart", "--key", "dev", *config)
    assert "✕  main     smart        its condition is not met (has_tools)" in refused
    assert "refused: No channel serves the model 'smart'" in refused
    assert "✓  main     smart        comes first" in command(
        "models", "why", "smart", "--set=has_tools=yes", *config
    )
    steps = json.loads(command("models", "why", "gpt-5", "--json", *config))["steps"]
    assert [("main", "", "first")] == [
        (each["channel_name"], each["model"], each["reason"]) for each in steps
    ]
    with pytest.raises(NotFound):
        command("models", "why", "smart", "--key", "nobody", *config)
