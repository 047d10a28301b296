"""Another gateway's configuration becomes one that runs, and what it does not become is said."""

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from httpx2 import AsyncClient

from longwire.app import opening
from longwire.core.errors import ConfigurationError
from longwire.core.nouns.override import Override
from longwire.core.nouns.secret import Secret
from longwire.settings import load
from tests.conftest import serving

HERE = Path(__file__).parent
SECRETS = {
    "litellm": ("sk-second-secret-of-the-upstream", "sk-master-of-the-proxy", "hidden"),
    "axonhub": (
        *("sk-first-of-two-keys", "sk-second-of-two-keys", "sk-of-deepseek"),
        *("ah-key-of-team-a-0123", "secret-token", "planted-header-value"),
    ),
}
VARIABLES = {"UPSTREAM_KEY": "sk-of-the-upstream", "ANTHROPIC_API_KEY": "sk-a", "AZURE_KEY": "sk-z"}
FIXTURES = {"litellm": "litellm.yaml", "axonhub": "axonhub.json"}
CALLERS = {
    "litellm": ("sk-master-of-the-proxy", ("fast", "quick")),
    "axonhub": ("ah-key-of-team-a-0123", ("smart", "fast", "acme/gpt-5.2")),
}


@pytest.fixture(name="kind", params=FIXTURES)
def kind_fixture(request) -> str:
    """Where it comes from."""
    return request.param


@pytest.fixture
def source(kind, tmp_path) -> str:
    """A file of another gateway's, whose upstream nobody calls."""
    return written(kind, tmp_path, "http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def _variables(monkeypatch):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def written(kind: str, folder: Path, upstream: str) -> str:
    """Write the fixture for an upstream."""
    text = (HERE / FIXTURES[kind]).read_text("utf-8").replace("EMULATOR", upstream)
    (folder / FIXTURES[kind]).write_text(text, "utf-8")
    return str(folder / FIXTURES[kind])


def notes_of(command, kind: str, source: str) -> dict[str, tuple[str, str]]:
    """What became of what."""
    found = json.loads(command("import", kind, source, "--json"))
    return {note["where"]: (note["outcome"], note["text"]) for note in found["notes"]}


def test_nothing_that_is_printed_is_a_secret(longwire, kind, source):
    """Neither the configuration nor the report, for people and for programs."""
    for words in ((), ("--json",), ("--to", "secret.toml")):
        ran = longwire("import", kind, source, *words)
        assert 0 == ran.returncode
        assert not [each for each in SECRETS[kind] if each in ran.stdout + ran.stderr]


def test_what_is_written_is_a_configuration(longwire, kind, source, tmp_path):
    """Nobody else may read it, a check finds nothing wrong, and no file is written over."""
    ran = longwire("import", kind, source, "--to", "longwire.toml")
    assert 0 == ran.returncode, ran.stderr
    file = tmp_path / "longwire.toml"
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    checked = longwire("config", "check", "longwire.toml", **VARIABLES)
    assert (0, "") == (checked.returncode, checked.stderr)
    file.write_text("# mine\n", "utf-8")
    again = longwire("import", kind, source, "--to", "longwire.toml")
    assert (1, "# mine\n") == (again.returncode, file.read_text("utf-8"))
    assert "--force" in again.stderr
    assert 0 == longwire("import", kind, source, "--to", "longwire.toml", "--force").returncode


@pytest.mark.process
async def test_a_gateway_with_it_serves_a_turn(kind, tmp_path, emulator):
    """By each of the names that callers know, with the key that they have."""
    source, file = written(kind, tmp_path, emulator.url), tmp_path / "longwire.toml"
    words = ("longwire", "import", kind, source, "--to", str(file))
    await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", *words], check=True, capture_output=True
    )
    settings = load(file, {**VARIABLES, "HOME": str(tmp_path)})
    key, models = CALLERS[kind]
    async with (
        serving(settings, opening(settings)) as gateway,
        AsyncClient(headers={"authorization": f"Bearer {key}"}, trust_env=False) as client,
    ):
        for model in models:
            body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
            answer = await client.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=30)
            assert 200 == answer.status_code, answer.text


def test_it_goes_into_the_database_once(command, kind, source):
    """Channels, models and keys with the secrets that callers have; a second time changes none."""
    first = command("import", kind, source, "--apply", "--force").splitlines()
    assert {"created", "created, with the secret that callers have"} == {
        line.partition(": ")[2] for line in first
    }
    again = command("import", kind, source, "--apply", "--force").splitlines()
    assert len(first) == len(again)
    assert {"there already, left as it is"} == {line.partition(": ")[2] for line in again}
    found = command("keys", "list", "--json")
    assert len(json.loads(found)) == sum(line.startswith("API key") for line in first)


def test_who_does_not_agree_changes_nothing(command, kind, source):
    """The plan is shown, and asked about."""
    with pytest.raises(AssertionError):
        command("import", kind, source, "--apply", stdin="n\n")
    assert [] == json.loads(command("channels", "list", "--json"))


def test_litellm_says_what_became_of_each_part(command, tmp_path):
    """Deployments, prices, weights, aliases, fallbacks, and what cannot be here."""
    source = written("litellm", tmp_path, "http://127.0.0.1:9")
    notes = notes_of(command, "litellm", source)
    assert "left" == notes["model_list[3]"][0]
    assert "bedrock" in notes["model_list[3]"][1]
    assert "changed" == notes["router_settings.fallbacks.claude"][0]
    assert "keys anew" in notes["general_settings.database_url"][1]
    assert "changed" == notes["model_list[0].litellm_params.rpm"][0]
    assert "left" == notes["model_list[2].litellm_params.temperature"][0]
    assert "taken" == notes["litellm_settings.drop_params"][0]
    command("import", "litellm", source, "--to", str(tmp_path / "it.toml"))
    settings = load(tmp_path / "it.toml", {**VARIABLES, "HOME": str(tmp_path)})
    models = {model.name: model for model in settings.models}
    assert {"fast", "claude", "old", "quick"} == models.keys()
    assert [300, 100] == [target.weight for target in models["fast"].targets]
    assert ("fast",) == models["claude"].fallbacks
    first, second, *_ = settings.channels
    assert ("0.25", "2", "0.025") == tuple(
        str(getattr(first.prices[0], name).normalize()) for name in ("input", "output", "cached")
    )
    assert ("spare",) == second.tags
    assert {"drop"} == {channel.unsupported for channel in settings.channels}
    azure = next(each for each in settings.channels if "azure" in each.name)
    assert "https://eu.openai.azure.com/openai/v1" == azure.base_url


def test_axonhub_says_what_became_of_each_part(command, tmp_path):
    """Channels by their keys, renames, associations, prices, and what cannot be here."""
    source = written("axonhub", tmp_path, "http://127.0.0.1:9")
    notes = notes_of(command, "axonhub", source)
    assert ("changed", "left", "changed") == tuple(notes[f"channels[{n}]"][0] for n in (0, 2, 3))
    assert "Main-one, with 2 keys" in notes["channels[0]"][1]
    assert "requests_per_minute=60, with --apply" in notes["channels[0].settings.rateLimit"][1]
    assert "left" == notes["channels[0].settings.rateLimit.maxConcurrent"][0]
    assert ("left", "left") == (notes["models[1]"][0], notes["api_keys[3]"][0])
    assert "none of its channels is taken over" in notes["api_keys[1]"][1]
    assert "left" == notes["channel_model_prices[1]"][0]
    command("import", "axonhub", source, "--to", str(tmp_path / "it.toml"))
    settings = load(tmp_path / "it.toml", {"HOME": str(tmp_path)})
    channels = {channel.name: channel for channel in settings.channels}
    assert ["Main-one", "deepseek", "codex"] == [*channels]
    assert ["sk-first-of-two-keys", "sk-second-of-two-keys"] == [
        each.get_secret_value() for each in channels["Main-one"].api_keys
    ]
    assert {
        "fast": "gpt-5.2-mini",
        "acme/gpt-5.2": "gpt-5.2",
        "acme/gpt-5.2-mini": "gpt-5.2-mini",
    } == channels["Main-one"].renames
    assert (3, False) == (channels["Main-one"].weight, channels["deepseek"].enabled)
    (smart,) = settings.models
    assert [
        ("Main-one", "gpt-5.2", 0),
        ("deepseek", "deepseek-chat", 1),
    ] == [(target.channel, target.model, target.order) for target in smart.targets]
    assert "1.25" == str(channels["Main-one"].prices[0].input)


def test_overrides_of_axonhub_are_overrides(command, tmp_path):
    """What is fixed is taken over; what is worked out, or is no override's to change, is said."""
    source = written("axonhub", tmp_path, "http://127.0.0.1:9")
    notes, place = notes_of(command, "axonhub", source), "channels[0].settings"
    bodies = [notes[f"{place}.bodyOverrideOperations[{n}]"] for n in range(6)]
    assert ["taken", "taken", "taken", "left", "left", "left"] == [each[0] for each in bodies]
    for number, reason in ((3, "from the request"), (4, "write renames"), (5, "array_append")):
        assert reason in bodies[number][1]
    headers = [notes[f"{place}.overrideHeaders[{n}]"] for n in range(2)]
    assert (["taken", "left"], True) == (
        [each[0] for each in headers],
        "carries credentials" in headers[1][1],
    )
    command("import", "axonhub", source, "--to", str(tmp_path / "it.toml"))
    channel, *_ = load(tmp_path / "it.toml", {"HOME": str(tmp_path)}).channels
    assert [
        Override("set", "temperature", value="0.7"),
        Override("default", "text", value='{"verbosity": "low"}', models=("gpt-5.2",)),
        Override("remove", "metadata"),
        Override("set", header="x-team", header_value=Secret("planted-header-value")),
    ] == [each.override for each in channel.overrides]


def test_limits_of_axonhub_go_into_the_database(command, tmp_path):
    """Rates of channels; models, channels, budgets and projects of keys."""
    source = written("axonhub", tmp_path, "http://127.0.0.1:9")
    command("import", "axonhub", source, "--apply", "--force")
    channels = {each["name"]: each for each in json.loads(command("channels", "list", "--json"))}
    assert 60 == channels["Main-one"]["rates"]["requests_per_minute"]
    assert 2 == len(json.loads(command("channels", "keys", "list", "Main-one", "--json")))
    keys = {each["name"]: each["grant"] for each in json.loads(command("keys", "list", "--json"))}
    grant = keys["Team-A"]
    assert {channels[name]["id"] for name in ("Main-one", "deepseek")} == {*grant["channels"]}
    assert ["smart", "fast", "acme/*"] == grant["models"]
    assert (1_000_000, 2.5) == (
        grant["budgets"]["tokens_per_day"],
        grant["budgets"]["cost_per_day"],
    )
    projects = {
        each["id"]: each["name"] for each in json.loads(command("projects", "list", "--json"))
    }
    assert ("Default", "Apps") == tuple(projects[keys[n]["project_id"]] for n in ("Team-A", "apps"))
    assert "of-the-cloud" not in keys


ONE_MORE = """
  - model_name: {public}
    litellm_params:
      {{model: openai/{model}, api_base: "http://h:1/v1", api_key: {key}, weight: {weight}}}
"""


@pytest.mark.parametrize(
    ("last", "channels"),
    [
        ({}, [(3, ["sk-a", "sk-b", "sk-c"])]),
        ({"weight": 4}, [(2, ["sk-a", "sk-b"]), (1, ["sk-c"])]),
        ({"public": "large", "model": "l"}, [(2, ["sk-a", "sk-b"]), (1, ["sk-c"])]),
    ],
)
def test_deployments_that_differ_by_their_key_are_one_channel(command, tmp_path, last, channels):
    """With the weight of all; a key that is used otherwise, or more, keeps a channel of its own."""
    alike = {"public": "fast", "model": "m", "weight": 2}
    each = [{**alike, "key": "sk-a"}, {**alike, "key": "sk-b"}, {**alike, **last, "key": "sk-c"}]
    file = tmp_path / "keys.yaml"
    file.write_text("model_list:" + "".join(ONE_MORE.format(**one) for one in each), "utf-8")
    command("import", "litellm", str(file), "--to", str(tmp_path / "it.toml"))
    settings = load(tmp_path / "it.toml", {"HOME": str(tmp_path)})
    assert channels == [
        (
            channel.weight,
            [
                key.get_secret_value()
                for key in (*filter(None, [channel.api_key]), *channel.api_keys)
            ],
        )
        for channel in settings.channels
    ]
    (fast, *_) = settings.models
    assert 2 == fast.targets[0].weight


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("litellm", "model_list:\n  - a: [", "line 2, column 9"),
        ("litellm", "models: []", "has no model_list"),
        ("litellm", "model_list: yes", "model_list: is true or false; write a list"),
        ("axonhub", '{"version": "1.1",}', "line 1, column 19"),
        ("axonhub", "[]", "is a list; write a table"),
        ("axonhub", "{}", "is no backup of AxonHub's"),
        ("axonhub", '{"version": "9", "channels": []}', "version 9 is not known; 1.0 and 1.1 are"),
    ],
)
def test_a_bad_file_is_told_where_and_how_to_mend(command, tmp_path, kind, text, message):
    """The line of what cannot be read, the path of what cannot be meant."""
    file = tmp_path / "bad"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=message):
        command("import", kind, str(file))


def test_a_file_that_is_not_there_is_told(command):
    """By its name."""
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: cannot be read"):
        command("import", "litellm", "nowhere.yaml")


ODD_LITELLM = """
model_list:
  - model_name: gpt
    litellm_params: &gpt {model: openai/gpt-5.2, api_key: sk-a-key-of-the-upstream}
  - {model_name: gpt, litellm_params: *gpt}
  - {model_name: weird name, litellm_params: *gpt}
  - {model_name: minus, litellm_params: {<<: *gpt, weight: -3, input_cost_per_token: none}}
  - {model_name: heavy, litellm_params: {<<: *gpt, weight: 1e12}}
  - {model_name: nothing}
  - {model_name: far, litellm_params: {<<: *gpt, api_base: "ftp://x"}}
router_settings: {fallbacks: [{gpt: [heavy, far]}], model_group_alias: [a]}
general_settings: {master_key: sk-1234}
"""


def test_an_odd_entry_of_litellm_stops_nothing_else(command, tmp_path):
    """It is left out or made valid, and a line says so; the rest is a configuration."""
    (tmp_path / "odd.yaml").write_text(ODD_LITELLM, "utf-8")
    notes = notes_of(command, "litellm", "odd.yaml")
    left = {where: text for where, (outcome, text) in notes.items() if outcome == "left"}
    assert "a key has 8 characters" in left["general_settings.master_key"]
    assert "without spaces" in left["model_list[2]"]
    assert "must be 0 or more" in left["model_list[3].weight"]
    assert "is no number" in left["model_list[3].input_cost_per_token"]
    assert "weight 1E+12: must be" in left["model heavy"]
    assert "needs a model_name" in left["model_list[5]"]
    assert "none of its channels is taken over" in left["model_list[6]"]
    assert "is a list; write a table" in left["router_settings.model_group_alias"]
    assert "far: it is left, too" in left["model gpt"]
    assert ("changed", "both weights") == (
        notes["model_list[1]"][0],
        notes["model_list[1]"][1][-12:],
    )
    command("import", "litellm", "odd.yaml", "--to", "it.toml")
    settings = load(tmp_path / "it.toml", {"HOME": str(tmp_path)})
    assert ["gpt", "minus", "heavy"] == [each.name for each in settings.models]
    assert (2, ["heavy"]) == (settings.models[0].targets[0].weight, [*settings.models[0].fallbacks])
    assert () == tuple(settings.api_keys)


def odd_axonhub(**changes):
    """A backup whose channel has other members."""
    channel = {
        "id": 1,
        "type": "openai_responses",
        "name": "C1",
        "base_url": "http://h:1/v1",
        "status": "enabled",
        "supported_models": ["gpt-5.2"],
        "credentials": {"apiKeys": ["sk-a-key-of-the-upstream"]},
        **changes,
    }
    quota = {
        "totalTokens": 0,
        "cost": "0",
        "period": {"type": "calendar_duration", "calendarDuration": {"unit": "day"}},
    }
    profiles = {"activeProfile": "p", "profiles": [{"name": "p", "quota": quota}]}
    target = {"type": "channel_model", "channelModel": {"channelId": 1, "modelId": "gpt-5.2"}}
    models = [
        {"model_id": name, "settings": {"associations": [target]}} for name in ("a b", "good")
    ]
    models[1]["settings"]["associations"].append({"type": "regex", "regex": {"pattern": "("}})
    keys = [
        {"name": "k0", "key": "ah-key-zero", "status": "enabled", "profiles": profiles},
        {"name": "k1", "key": "ah-key-one-1", "status": "enabled"},
    ]
    return json.dumps(
        {"version": "1.1", "channels": [channel, {}], "models": models, "api_keys": keys}
    )


@pytest.mark.parametrize("weight", [-5, 1e12])
def test_an_odd_entry_of_axonhub_stops_nothing_else(command, tmp_path, weight):
    """It is left out and named, and the rest goes into the database."""
    (tmp_path / "odd.json").write_text(odd_axonhub(ordering_weight=weight), "utf-8")
    found = json.loads(command("import", "axonhub", "odd.json", "--json"))["notes"]
    left = " ".join(each["text"] for each in found if each["outcome"] == "left")
    for words in ("needs a name", "a b: write 1 to 256", "nothing may be spent", "no pattern"):
        assert words in left
    assert "must be" in left
    command("import", "axonhub", "odd.json", "--apply", "--force")
    names = {
        noun: [each["name"] for each in json.loads(command(noun, "list", "--json"))]
        for noun in ("channels", "models", "keys")
    }
    assert {"channels": ["C1"], "models": ["good"], "keys": ["k1"]} == names


def test_what_the_database_refuses_stops_nothing_else(longwire, tmp_path):
    """What was created is said, and what was not, with why; the exit code is 1."""
    url = f"sqlite:///{tmp_path}/it.db"
    (tmp_path / "odd.json").write_text(odd_axonhub(settings={"rateLimit": {"rpm": 0.5}}), "utf-8")
    done = longwire(
        "import", "axonhub", "odd.json", "--apply", "--force", LONGWIRE_DATABASE__URL=url
    )
    assert 1 == done.returncode
    assert "channel C1: refused: rates.requestsPerMinute: must be 1 or more" in done.stderr
    assert "API key k1: created" in done.stdout
