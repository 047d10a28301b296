"""Vendors' profiles, each setting with a source."""

import json
from dataclasses import fields
from importlib.resources import files

import pytest

from longwire.core.errors import ConfigurationError
from longwire.dialects.profiles import known
from longwire.dialects.profiles.known import (
    PROFILE_NAMES,
    Setting,
    check_profile,
    check_quirks,
    profile_of,
    settings_of,
)
from longwire.dialects.profiles.profile import GENERIC, MEANINGS, Profile


def test_each_table_is_a_profile():
    """What is named is there, and nothing else."""
    tables = [each.name for each in files(known.__package__).iterdir() if "toml" in each.name]
    assert sorted(f"{name}.toml" for name in PROFILE_NAMES) == sorted(tables)


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_each_setting_has_a_source(name):
    """Nothing is claimed of a vendor without saying where it was seen."""
    assert [] == [each.name for each in settings_of(name) if len(each.source.split()) < 3]
    assert set() == {each.name for each in settings_of(name)} - set(MEANINGS)


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_a_profile_has_the_values_of_its_table(name):
    """What is shown of a profile is what it does."""
    profile = profile_of(name, "")
    assert name == profile.name
    for setting in settings_of(name):
        value = getattr(profile, setting.name)
        assert json.loads(setting.value) == json.loads(json.dumps(value))


def test_each_setting_has_a_meaning():
    """Whoever is shown a setting is told what it means."""
    assert [*MEANINGS] == [each.name for each in fields(Profile) if each.name != "name"]


@pytest.mark.parametrize("name", [each for each in PROFILE_NAMES if each != "generic"])
def test_a_vendor_has_an_issuer_of_its_own(name):
    """What one sealed is opened by nobody else."""
    issuers = [profile_of(each, "").issuer for each in PROFILE_NAMES]
    assert 1 == issuers.count(profile_of(name, "").issuer)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.openai.com", "openai"),
        ("api.deepseek.com", "deepseek"),
        ("API.DeepSeek.com:443", "deepseek"),
        ("api.moonshot.cn", "kimi"),
        ("my.openai.azure.com", "azure"),
        ("dashscope-intl.aliyuncs.com", "qwen"),
        ("openrouter.ai", "openrouter"),
        ("localhost:11434", "ollama"),
        ("192.168.1.7:1234", "lmstudio"),
        ("[::1]:11434", "ollama"),
        ("[2001:db8::1:11434]", "generic"),
        ("[::1", "generic"),
        ("localhost:8000", "generic"),
        ("notopenai.com", "generic"),
        ("openai.com.evil.example", "generic"),
        ("", "generic"),
    ],
)
def test_a_profile_is_found_by_its_host(host, expected):
    """A host or one below it, or a port that one program alone listens on."""
    assert expected == profile_of("", host).name


def test_a_name_comes_before_the_host():
    """A vLLM behind any host is one by its name."""
    assert "vllm" == profile_of("vllm", "api.openai.com").name


def test_a_quirk_changes_one_setting():
    """All else stays as the vendor has it."""
    profile = profile_of("deepseek", "", [("takes_strict", "false"), ("max_output", '{"x":5}')])
    assert (False, {"x": 5}, "deepseek") == (
        profile.takes_strict,
        profile.max_output,
        profile.issuer,
    )


def test_quirks_are_shown_in_the_place_of_what_they_change():
    """With the channel as their source."""
    shown = settings_of("generic", [("token_member", '"max_completion_tokens"')])
    assert [Setting("token_member", '"max_completion_tokens"', "the channel")] == [*shown]


@pytest.mark.parametrize(
    ("quirks", "words"),
    [
        ([("takes_strict", "1")], "the quirk 'takes_strict' cannot be 1: Expected `bool`"),
        ([("takes_strict", "tru")], "the quirk 'takes_strict' cannot be tru: "),
        ([("token_member", '"tokens"')], "the quirk 'token_member' cannot be \"tokens\": "),
        ([("tool_choices", '["auto","any"]')], "the quirk 'tool_choices' cannot be "),
        ([("efforts", '{"low":"x"}')], "the quirk 'efforts' cannot be "),
        ([("vendor", '"x"')], "a profile has no setting 'vendor' to change; it has issuer, "),
        (
            [("takes_strickt", "true")],
            "a profile has no setting 'takes_strickt' to change; did you",
        ),
        ([("max_output", '{"*":0}')], "the quirk 'max_output' cannot be "),
        ([("max_output", '{"*":-5}')], "the quirk 'max_output' cannot be "),
        ([("efforts", '{"*":{"foo":{}}}')], "the quirk 'efforts' cannot be "),
        (
            [("efforts", '{"*":{"low":{"model":"x","messages":[]}}}')],
            "the quirk 'efforts' cannot set messages, model: ",
        ),
        ([("hosts", "[]")], "a profile has no setting 'hosts' to change"),
        ([("schemas", '"both"'), ("schemas", '"both"')], "the quirk 'schemas' stands twice"),
    ],
)
def test_a_wrong_quirk_is_refused(quirks, words):
    """The error names the setting and the mend."""
    assert (check_quirks(quirks) or "").startswith(words)
    with pytest.raises(ConfigurationError, match=r"quirk|setting"):
        profile_of("", "", quirks)


def test_an_unknown_profile_is_refused():
    """The error names the nearest, and lists those that exist."""
    names = ", ".join(PROFILE_NAMES)
    near = f"there is no profile 'opanai'; did you mean openai? There are {names}"
    assert near == check_profile("opanai")
    assert f"there is no profile 'zzz'; write one of {names}" == check_profile("zzz")
    with pytest.raises(ConfigurationError, match="there is no profile 'opanai'"):
        profile_of("opanai", "")
    assert [None, None] == [check_profile(""), check_profile("generic")]
    assert GENERIC == profile_of("generic", "")
