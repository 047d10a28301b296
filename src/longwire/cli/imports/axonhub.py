"""A backup of AxonHub's, as its settings save it: channels, models, prices and API keys.

https://github.com/looplj/axonhub: internal/server/backup, versions 1.0 and 1.1.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from longwire.cli.imports.axonhub_keys import api_key
from longwire.cli.imports.axonhub_overrides import overrides_of
from longwire.cli.imports.fitting import one_of_many
from longwire.cli.imports.plan import Plan, Table
from longwire.cli.imports.reading import entries, matches, number, read_json, short, table, text
from longwire.core.errors import ConfigurationError
from longwire.core.nouns.channel import CHANNEL_TYPES
from longwire.core.nouns.secret import Secret

VERSIONS: Final = ("1.0", "1.1")
_CHAT: Final = ["chat_completions"]
_SPOKEN: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "openai": ("openai", _CHAT),
    "openai_responses": ("openai", ["responses"]),
    "codex": ("codex", ()),
    "anthropic": ("anthropic", ()),
    "claudecode": ("anthropic", ()),
    "gemini": ("gemini", ()),
    "jina": ("openai", ["embeddings", "rerank"]),
}
"""Types with the type here and its APIs; one that ends with `_anthropic` is the Messages API."""

_OF_MESSAGES: Final = "_anthropic"
_MESSAGES: Final = ("anthropic", ())
_COMPATIBLE: Final = ("openai", _CHAT)

_UNSPOKEN: Final = {
    "anthropic_aws": "Bedrock signs its requests in a way of its own",
    "anthropic_gcp": "Vertex signs in with a Google account",
    "gemini_vertex": "Vertex signs in with a Google account",
    "antigravity": "its sign-in is not spoken here",
    "github": "its sign-in is not spoken here",
    "github_copilot": "its sign-in is not spoken here",
    "anthropic_fake": "it is a test's",
    "openai_fake": "it is a test's",
}
_ITEMS: Final = {
    "prompt_tokens": "input",
    "completion_tokens": "output",
    "prompt_cached_tokens": "cached",
    "prompt_write_cached_tokens": "cache_write",
}
_RATES: Final = {
    "rpm": "requests_per_minute",
    "tpm": "tokens_per_minute",
    "maxConcurrent": "concurrent_turns",
}
_AT_HOME: Final = {"openai": "https://api.openai.com"}
"""Where a type offers all that its type here does."""

_LEFT_SETTINGS: Final = {
    "retryableStatusCodes": "attempts follow replay safety, not a list",
    "retryableErrorPatterns": "attempts follow replay safety, not a list",
    "hideOriginalModels": "there is nothing like it here",
    "lowercaseModelId": "names are told apart by case",
    "providerQuota": "there is nothing like it here",
}


def plan_of(file: Path) -> Plan:
    """Return what a backup of AxonHub's becomes. Raises `ConfigurationError`."""
    whole = table(read_json(file), str(file))
    version = whole.get("version")
    if "channels" not in whole or version is None:
        raise ConfigurationError(f"{file}: is no backup of AxonHub's; save one in its settings")
    if version not in VERSIONS:
        known = " and ".join(VERSIONS)
        raise ConfigurationError(
            f"{file}: version {text(version, 'version')} is not known; {known} are, so save a "
            "backup with such a release"
        )
    plan, channels = Plan(), _Channels()
    for position, entry in enumerate(entries(whole["channels"], "channels")):
        where = f"channels[{position}]"
        with one_of_many(plan):
            channels.take(plan, where, table(entry, where))
    for position, entry in enumerate(entries(whole.get("channel_model_prices"), "prices")):
        where = f"channel_model_prices[{position}]"
        with one_of_many(plan):
            _price(plan, channels, where, table(entry, where))
    for position, entry in enumerate(entries(whole.get("models"), "models")):
        where = f"models[{position}]"
        with one_of_many(plan):
            _model(plan, channels, where, table(entry, where))
    for position, entry in enumerate(entries(whole.get("api_keys"), "api_keys")):
        where = f"api_keys[{position}]"
        with one_of_many(plan):
            api_key(plan, channels.by_id, where, table(entry, where))
    for name in ("projects", "users"):
        if whole.get(name):
            plan.note(name, "left", f"longwire {name} --help; keys of a file are the default one's")
    return plan


class _Channels:
    """The channels that are taken over, by their ids and names there."""

    def __init__(self) -> None:
        self.by_id: dict[object, Table] = {}
        self.by_name: dict[str, Table] = {}

    def take(self, plan: Plan, where: str, entry: Mapping[str, Any]) -> None:
        """Put a channel into the plan with all of its keys, or say why not."""
        name, kind = text(entry.get("name"), f"{where}.name"), text(entry.get("type"), where)
        if not name or not kind:
            raise ConfigurationError(f"{where}: needs a name and a type; save the backup anew")
        why = _UNSPOKEN.get(kind, "")
        if entry.get("status") == "archived":
            why = "it is archived"
        if why:
            plan.note(where, "left", f"channel {name} of type {kind}: {why}")
            return
        base = self._base(plan, where, kind, entry)
        keys = _keys(entry, where)
        needs_key = CHANNEL_TYPES[base["type"]].needs_key
        if not keys and needs_key:
            plan.note(where, "left", f"channel {name}: it has no API key; add one and import again")
            return
        channel: Table = {"name": plan.name(plan.channels, name), **base}
        if needs_key:
            secrets = [Secret(key) for key in keys]
            channel |= {"api_keys": secrets} if len(secrets) > 1 else {"api_key": secrets[0]}
        plan.channels.append(channel)
        self.by_id[entry.get("id")] = self.by_name[name] = channel
        limits = table(entry.get("settings"), f"{where}.settings").get("rateLimit")
        with one_of_many(plan):
            _rates(plan, f"{where}.settings.rateLimit", channel["name"], limits)
        _note_channel(plan, where, name, channel)

    def _base(self, plan: Plan, where: str, kind: str, entry: Mapping[str, Any]) -> Table:
        type_, apis = _SPOKEN.get(kind, _MESSAGES if kind.endswith(_OF_MESSAGES) else _COMPATIBLE)
        base: Table = {"type": type_}
        url = text(entry.get("base_url"), f"{where}.base_url")
        if url:
            base["base_url"] = url
        home = _AT_HOME.get(kind, "")
        if apis and not (home and (url or home).startswith(home)):
            base["apis"] = [*apis]
        models = [text(each, where) for each in entries(entry.get("supported_models"), where)]
        base["models"] = models or ["*"]
        if tags := [text(each, where) for each in entries(entry.get("tags"), where)]:
            base["tags"] = tags
        if entry.get("status") != "enabled":
            base["enabled"] = False
        if weight := entry.get("ordering_weight"):
            with one_of_many(plan):
                base["weight"] = number(weight, f"{where}.ordering_weight")
        settings = table(entry.get("settings"), f"{where}.settings")
        _settings(plan, where, base, settings)
        if overrides := overrides_of(plan, f"{where}.settings", settings):
            base["overrides"] = overrides
        return base


def _note_channel(plan: Plan, where: str, name: str, channel: Table) -> None:
    own, keys = channel["name"], len(channel.get("api_keys", ()))
    if not CHANNEL_TYPES[channel["type"]].needs_key:
        why = f"channel {own}: its account signs in anew, longwire login codex --channel {own}"
        plan.note(where, "changed", why)
        return
    words = f"channel {own}, with {keys} keys" if keys else f"channel {own}"
    plan.note(where, "taken" if own == name else "changed", words)


def _rates(plan: Plan, where: str, name: str, value: object) -> None:
    """Put the limits of a channel into the plan; those that only count are noted."""
    limits = table(value, where)
    rates = {
        ours: int(number(limits[theirs], f"{where}.{theirs}"))
        for theirs, ours in _RATES.items()
        if limits.get(theirs)
    }
    if "concurrent_turns" in rates and not limits.get("queueSize"):
        del rates["concurrent_turns"]
        why = (
            "without a queue it bounds nothing; longwire channels edit NAME --set concurrent_turns"
        )
        plan.note(f"{where}.maxConcurrent", "left", why)
    if rates:
        plan.rates[name] = rates
        words = ", ".join(f"{each}={rate}" for each, rate in rates.items())
        why = f"{words}, with --apply; a channel of a file has no limits"
        plan.note(where, "changed", why)


def _keys(entry: Mapping[str, Any], where: str) -> list[str]:
    """Return the keys of a channel that are not disabled."""
    held = table(entry.get("credentials"), f"{where}.credentials")
    each = [held.get("apiKey"), *entries(held.get("apiKeys"), f"{where}.credentials.apiKeys")]
    disabled = {
        table(one, where).get("key")
        for one in entries(entry.get("disabled_api_keys"), f"{where}.disabled_api_keys")
    }
    found = dict.fromkeys(text(key, where) for key in each if key and key not in disabled)
    return [key for key in found if not key.lstrip().startswith("{")]  # a sign-in, as JSON


def _settings(plan: Plan, where: str, base: Table, settings: Mapping[str, Any]) -> None:
    renames: dict[str, str] = {}
    for mapping in entries(settings.get("modelMappings"), f"{where}.settings.modelMappings"):
        pair = table(mapping, where)
        renames[text(pair.get("from"), where)] = text(pair.get("to"), where)
    if prefix := text(settings.get("extraModelPrefix"), where):
        renames |= {f"{prefix}/{model}": model for model in base["models"] if "*" not in model}
    for trimmed in entries(settings.get("autoTrimedModelPrefixes"), where):
        start = f"{text(trimmed, where).rstrip('/')}/"
        renames |= {
            model.removeprefix(start): model
            for model in base["models"]
            if model.startswith(start) and model != start
        }
    renames = {name: to for name, to in renames.items() if name and to and name != to}
    if renames:
        base["renames"] = renames
    proxy = table(settings.get("proxy"), f"{where}.settings.proxy")
    if proxy.get("type") == "url" and proxy.get("url"):
        url = text(proxy["url"], where)
        if proxy.get("username"):
            why = "its proxy has a password: longwire channels edit NAME --set proxy=URL"
            plan.note(f"{where}.settings.proxy", "left", why)
        else:
            base["proxy"] = url
    for name, why in _LEFT_SETTINGS.items():
        if settings.get(name) not in (None, "", [], {}, "{}", "[]", False):
            plan.note(f"{where}.settings.{name}", "left", why)


def _price(plan: Plan, channels: _Channels, where: str, entry: Mapping[str, Any]) -> None:
    model = text(entry.get("model_id"), f"{where}.model_id")
    channel = channels.by_name.get(text(entry.get("channel_name"), where))
    found: Table = {"model": model}
    for item in entries(table(entry.get("price"), where).get("items"), where):
        pricing = table(table(item, where).get("pricing"), where)
        name = _ITEMS.get(text(table(item, where).get("itemCode"), where))
        if name is None or pricing.get("mode") != "usage_per_unit":
            plan.note(where, "left", f"price of {model}: only prices by the token are known here")
            return
        found[name] = short(number(pricing.get("usagePerUnit"), where))
    if channel is None or not {"input", "output"} <= found.keys():
        why = (
            "its channel is not taken over" if channel is None else "one of input and output lacks"
        )
        plan.note(where, "left", f"price of {model}: {why}")
        return
    channel.setdefault("prices", []).append(found)
    plan.note(where, "taken", f"price of {model}, by the million tokens")


def _model(plan: Plan, channels: _Channels, where: str, entry: Mapping[str, Any]) -> None:
    name = text(entry.get("model_id"), f"{where}.model_id")
    settings = table(entry.get("settings"), f"{where}.settings")
    targets: list[Table] = []
    for each in entries(settings.get("associations"), f"{where}.settings.associations"):
        association = table(each, where)
        if association.get("disabled"):
            continue
        if table(association.get("when"), where).get("enabled"):
            plan.note(where, "left", f"model {name}: the condition of a target, and the target")
            continue
        with one_of_many(plan):
            order = int(number(association.get("priority") or 0, f"{where}.priority"))
            found = list(_targets(channels, association, where))
            known = [{**target, "order": 0} for target in targets]
            fresh = [each for each in found if {**each, "order": 0} not in known]
            targets += [{**target, "order": order} for target in fresh]
    if not targets:
        why = "no target is left; channels serve it where they have it by name"
        plan.note(where, "left", f"model {name}: {why}")
        return
    model: Table = {"name": name, "targets": [_plain(target, name) for target in targets]}
    if entry.get("status") not in (None, "enabled"):
        model["enabled"] = False
    plan.models.append(model)
    plan.note(where, "taken", f"model {name}")


def _plain(target: Table, name: str) -> Table:
    """Leave out of a target what is so anyway."""
    return {
        key: value
        for key, value in target.items()
        if not (key == "model" and value == name) and not (key == "order" and value == 0)
    }


def _targets(channels: _Channels, association: Mapping[str, Any], where: str) -> Iterator[Table]:
    """Yield the targets of an association; a pattern is what matches it now."""
    kind = text(association.get("type"), where)
    camel = re.sub(r"_(\w)", lambda found: found[1].upper(), kind)
    about = table(association.get({"model": "modelId"}.get(kind, camel)), where)
    model, pattern = text(about.get("modelId"), where), text(about.get("pattern"), where)
    tags = {text(tag, where) for tag in entries(about.get("channelTags"), where)}
    if "channelId" in about:
        named = channels.by_id.get(about["channelId"])
        among = [] if named is None else [named]
    else:
        every = channels.by_name.values()
        among = [each for each in every if not tags or tags & {*each.get("tags", ())}]
    excluded = [table(each, where) for each in entries(about.get("exclude"), where)]
    for channel in among:
        if any(_is_excluded(channel, channels, each) for each in excluded):
            continue
        names = dict.fromkeys([*channel["models"], *channel.get("renames", {})])
        if model:
            found = [model] if any(fnmatchcase(model, name) for name in names) else []
        else:
            found = [name for name in names if matches(pattern, name, where)]
        yield from ({"channel": channel["name"], "model": name} for name in found)


def _is_excluded(channel: Table, channels: _Channels, rule: Mapping[str, Any]) -> bool:
    of_ids = (channels.by_id.get(each) for each in rule.get("channelIds") or ())
    if any(channel is each for each in of_ids):
        return True
    if {*(rule.get("channelTags") or ())} & {*channel.get("tags", ())}:
        return True
    pattern = rule.get("channelNamePattern")
    return bool(pattern) and matches(str(pattern), channel["name"], "channelNamePattern")
