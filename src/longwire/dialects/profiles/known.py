"""The vendors that are known: each a TOML table beside this module, with a source on each setting.

`token_member = { value = "max_tokens", source = "where this was seen" }`. An operator's quirks are
settings with other values, as JSON.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from tomllib import loads
from typing import Any, Final, NamedTuple, get_type_hints
from urllib.parse import urlsplit

import msgspec

from longwire.core.errors import ConfigurationError
from longwire.dialects.profiles.profile import GENERIC, MEANINGS, Efforts, Profile

PROFILE_NAMES: Final = (
    "azure",
    "deepseek",
    "fireworks",
    "gemini-openai",
    "generic",
    "glm",
    "groq",
    "kimi",
    "lmstudio",
    "mistral",
    "ollama",
    "openai",
    "openrouter",
    "qwen",
    "together",
    "vllm",
    "xai",
)
"""The profiles by name."""

Quirks = Iterable[tuple[str, str]]
_OWN: Final = "the channel"
_OF_THE_TURN: Final = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
    }
)
"""Members of Chat Completions that no effort may set: a body would have them twice."""
CHANGEABLE: Final = tuple(name for name in MEANINGS if name != "hosts")
"""What a channel can set: all but what a profile is found by."""


class Setting(NamedTuple):
    """One difference of a vendor: its value as JSON, and where that was seen."""

    name: str
    value: str
    source: str


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    value: Any
    source: str


def profile_of(name: str, host: str, quirks: Quirks = ()) -> Profile:
    """Return a profile by its name, else by the host of a URL, with a channel's quirks.

    The host may have a port. Raises `ConfigurationError`, which names the mend.
    """
    problem = check_profile(name) or check_quirks(quirks)
    if problem:
        raise ConfigurationError(problem)
    profile = _loaded(name) if name else _by_host(host)
    changes = {setting: _decode(setting, value) for setting, value in quirks}
    return replace(profile, **changes) if changes else profile


def check_profile(name: str) -> str | None:
    """Return what is wrong with a profile's name, None if nothing is; "" goes by the host."""
    if name and name not in PROFILE_NAMES:
        near = get_close_matches(name.lower(), PROFILE_NAMES, n=1)
        meant = f"did you mean {near[0]}? There are" if near else "write one of"
        return f"there is no profile '{name}'; {meant} {', '.join(PROFILE_NAMES)}"
    return None


def check_quirks(quirks: Quirks) -> str | None:
    """Return what is wrong with quirks, None if nothing is."""
    seen: set[str] = set()
    for setting, value in quirks:
        if setting not in CHANGEABLE:
            return f"a profile has no setting '{setting}' to change; {_known_setting(setting)}"
        if setting in seen:
            return f"the quirk '{setting}' stands twice; keep one"
        seen.add(setting)
        try:
            found = _decode(setting, value)
        except msgspec.MsgspecError as error:
            return f"the quirk '{setting}' cannot be {value}: {error}"
        if setting == "efforts" and (taken := _members_of(found) & _OF_THE_TURN):
            mend = "it is said by the turn itself; take it out"
            return f"the quirk 'efforts' cannot set {', '.join(sorted(taken))}: {mend}"
    return None


def _known_setting(word: str) -> str:
    near = get_close_matches(word.lower(), CHANGEABLE, n=1)
    return f"did you mean {near[0]}?" if near else f"it has {', '.join(CHANGEABLE)}"


def _members_of(efforts: Efforts) -> set[str]:
    """Return the members of a body that efforts set."""
    return {name for each in efforts.values() for said in each.values() for name in said}


def settings_of(name: str, quirks: Quirks = ()) -> Sequence[Setting]:
    """Return in what a profile differs from the generic one, as people are shown it."""
    own = dict(quirks)
    entries = _entries(name)
    found = [
        Setting(setting, msgspec.json.encode(entry.value).decode(), entry.source)
        for setting, entry in entries.items()
        if setting not in own
    ]
    return [*found, *(Setting(setting, value, _OWN) for setting, value in own.items())]


@cache
def _loaded(name: str) -> Profile:
    values = {
        setting: msgspec.convert(entry.value, _HINTS[setting])
        for setting, entry in _entries(name).items()
    }
    return replace(GENERIC, **{**values, "name": name})


@cache
def _entries(name: str) -> dict[str, _Entry]:
    text = files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert(loads(text), dict[str, _Entry])


def _by_host(host: str) -> Profile:
    try:
        parts = urlsplit(f"//{host}")
        domain, port = parts.hostname or "", parts.port
    except ValueError:
        return GENERIC
    for name in PROFILE_NAMES:
        profile = _loaded(name)
        for end in profile.hosts:
            if end in (f":{port}", domain) or domain.endswith(f".{end}"):
                return profile
    return GENERIC


def _decode(setting: str, value: str) -> Any:  # noqa: ANN401 - of the setting's own type
    return msgspec.json.decode(value.encode("utf-8", "replace"), type=_HINTS[setting])


_TYPES: Final = get_type_hints(Profile, include_extras=True)
_HINTS: Final = {each.name: _TYPES[each.name] for each in fields(Profile)}
