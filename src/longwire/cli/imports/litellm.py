"""The `config.yaml` of LiteLLM's proxy: its deployments are channels here, its names models.

https://docs.litellm.ai/docs/proxy/config_settings
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from longwire.cli.imports.fitting import one_of_many
from longwire.cli.imports.joined_keys import join_keys
from longwire.cli.imports.plan import Outcome, Plan, Table
from longwire.cli.imports.reading import (
    MILLION,
    NO_KEY,
    entries,
    is_key,
    number,
    read_yaml,
    short,
    table,
    text,
)
from longwire.core.errors import ConfigurationError
from longwire.core.nouns.secret import Secret

_ENVIRONMENT: Final = "os.environ/"
_CHAT: Final = ["chat_completions"]
_HOMES: Final = ("https://api.openai.com/v1", "https://api.openai.com")


class Provider(NamedTuple):
    """What a provider is here: a type of channels, where it is, the APIs that it offers.

    Below an address of the operator's own they are at a `path`.
    """

    type: str
    base_url: str = ""
    apis: Sequence[str] = ()
    path: str = ""


PROVIDERS: Final = {
    "openai": Provider("openai"),
    "anthropic": Provider("anthropic"),
    "gemini": Provider("gemini"),
    "azure": Provider("openai", apis=_CHAT, path="/openai/v1"),
    "deepseek": Provider("openai", "https://api.deepseek.com/v1", _CHAT),
    "groq": Provider("openai", "https://api.groq.com/openai/v1", _CHAT),
    "mistral": Provider("openai", "https://api.mistral.ai/v1", _CHAT),
    "xai": Provider("openai", "https://api.x.ai/v1", _CHAT),
    "openrouter": Provider("openai", "https://openrouter.ai/api/v1", _CHAT),
    "together_ai": Provider("openai", "https://api.together.xyz/v1", _CHAT),
    "fireworks_ai": Provider("openai", "https://api.fireworks.ai/inference/v1", _CHAT),
    "moonshot": Provider("openai", "https://api.moonshot.ai/v1", _CHAT),
    "ollama": Provider("openai", "http://localhost:11434/v1", _CHAT),
    "ollama_chat": Provider("openai", "http://localhost:11434/v1", _CHAT),
    "lm_studio": Provider("openai", "http://localhost:1234/v1", _CHAT),
    "hosted_vllm": Provider("openai", apis=_CHAT),
    "openai_like": Provider("openai", apis=_CHAT),
    "litellm_proxy": Provider("openai", apis=_CHAT),
}
"""By the word before the first slash of a model; those left out speak no API of Longwire's."""

_WITH_OWN_URL: Final = ("openai", "anthropic", "gemini")
"""The providers whose address is that of their type of channels."""

_COPIED: Final = frozenset({"openai"})
"""The provider whose API others offer, too, though less of it."""

_BARE: Final = (
    (re.compile(r"gpt-|o\d|chatgpt|text-embedding-|dall-e|whisper|tts-"), "openai"),
    (re.compile(r"claude-"), "anthropic"),
)
_PRICES: Final = {
    "input_cost_per_token": "input",
    "cache_read_input_token_cost": "cached",
    "cache_creation_input_token_cost": "cache_write",
    "output_cost_per_token": "output",
}
_READ: Final = {
    *("model", "api_key", "api_base", "base_url", "organization", "weight", "rpm", "tpm"),
    *("order", "tags", "use_in_pass_through", *_PRICES),
}
_WHY: Final = {
    "api_version": "a version of Azure's API; the base URL of its v1 API needs none",
    "timeout": "set the timeouts of all channels in [sessions]",
    "stream_timeout": "set sessions.first_event_timeout",
    "max_retries": "attempts follow replay safety, not a number",
    "max_parallel_requests": "longwire channels edit NAME --set concurrent_turns=N",
    "max_budget": "longwire budgets create, or [[budgets]]",
    "budget_duration": "longwire budgets create, or [[budgets]]",
}
_SETTINGS_READ: Final = {
    "litellm_settings": {"drop_params", "fallbacks", "default_fallbacks"},
    "router_settings": {"model_group_alias", "fallbacks", "default_fallbacks"},
    "general_settings": {"master_key"},
}
_WHY_SETTINGS: Final = {
    "routing_strategy": "sessions stay where they are; others are shared out by weight",
    "context_window_fallbacks": "give a target max_tokens, and a larger model a later order",
    "content_policy_fallbacks": "a refusal of the model's is its answer here",
    "database_url": "virtual keys, teams, users and budgets live in this database and not in the "
    "file; make keys anew: longwire keys create NAME",
    "redis_host": "what nodes share is fleet.url",
    "cache": "answers are not cached",
    "success_callback": "see [telemetry] for OpenTelemetry",
    "failure_callback": "see [telemetry] for OpenTelemetry",
    "callbacks": "see [telemetry] for OpenTelemetry",
    "num_retries": "attempts follow replay safety, not a number",
    "max_budget": "longwire budgets create, or [[budgets]]",
    "alerting": "see alerts: longwire alerts",
}
_NOTHING_LIKE_IT: Final = "there is nothing like it here"


def plan_of(file: Path) -> Plan:
    """Return what a configuration of LiteLLM's becomes. Raises `ConfigurationError`."""
    whole = table(read_yaml(file), str(file))
    if "model_list" not in whole:
        raise ConfigurationError(
            f"{file}: has no model_list; name the config.yaml that litellm --config starts with"
        )
    plan = Plan()
    settings: dict[str, Mapping[str, Any]] = {name: {} for name in _SETTINGS_READ}
    for name in _SETTINGS_READ:
        with one_of_many(plan):
            settings[name] = table(whole.get(name), name)
    drops = settings["litellm_settings"].get("drop_params") is True
    for position, entry in enumerate(entries(whole["model_list"], f"{file}: model_list")):
        where = f"model_list[{position}]"
        with one_of_many(plan):
            _Deployment(plan, where, table(entry, where)).take()
    join_keys(plan)
    if drops:
        for channel in plan.channels:
            channel["unsupported"] = "drop"
        plan.note("litellm_settings.drop_params", "taken", 'unsupported = "drop" of each channel')
    with one_of_many(plan):
        aliases = settings["router_settings"].get("model_group_alias")
        _aliases(plan, table(aliases, "router_settings.model_group_alias"))
    for section in ("litellm_settings", "router_settings"):
        with one_of_many(plan):
            _fallbacks(plan, section, settings[section])
    with one_of_many(plan):
        _master_key(plan, settings["general_settings"])
    for section, values in settings.items():
        for name in values.keys() - _SETTINGS_READ[section]:
            plan.note(f"{section}.{name}", "left", _WHY_SETTINGS.get(name, _NOTHING_LIKE_IT))
    for name in whole.keys() - {"model_list", *_SETTINGS_READ}:
        why = "set these variables where the gateway starts"
        known = {"environment_variables": why}
        plan.note(name, "left", known.get(name, _NOTHING_LIKE_IT))
    return plan


class _Deployment:
    """One entry of the list of models: a target of a model, at a channel."""

    def __init__(self, plan: Plan, where: str, entry: Mapping[str, Any]) -> None:
        self._plan = plan
        self._where = where
        self._params = table(entry.get("litellm_params"), f"{where}.litellm_params")
        self._about = table(entry.get("model_info"), f"{where}.model_info")
        self._public = text(entry.get("model_name"), f"{where}.model_name")
        if not self._public or not self._params.get("model"):
            raise ConfigurationError(
                f"{where}: needs a model_name and a litellm_params.model; write both or remove it"
            )

    def take(self) -> None:
        """Put it into the plan, or say why not."""
        provider, model = _parted(text(self._params["model"], f"{self._where}.model"))
        known = PROVIDERS.get(provider)
        base_url = self._text("api_base") or self._text("base_url")
        if known is None or not (base_url or known.base_url or provider in _WITH_OWN_URL):
            why = f"the API of {provider or model} is none that is spoken here"
            if known is not None:
                why = f"{provider} needs an api_base; write it and import again"
            self._plan.note(self._where, "left", f"{self._public}: {why}")
            return
        channel = self._channel(provider, known, base_url)
        names = channel["models"]
        if model not in names:
            names.append(model)
        with one_of_many(self._plan):
            self._prices(channel, model)
        self._serve(channel["name"], model)
        for name in self._params.keys() - _READ:
            why = _WHY.get(
                name, "a member of requests; clients set it, or an override of a channel"
            )
            self._plan.note(f"{self._where}.litellm_params.{name}", "left", why)

    def _text(self, name: str) -> str:
        return _reference(text(self._params.get(name), f"{self._where}.litellm_params.{name}"))

    def _channel(self, provider: str, known: Provider, base_url: str) -> Table:
        """Return the channel with this key at this place, a new one where there is none."""
        found: Table = {"type": known.type}
        url = base_url or known.base_url
        if known.path and known.path not in url:
            url = url.rstrip("/") + known.path
        is_elsewhere = bool(base_url) and base_url.rstrip("/") not in _HOMES
        if known.apis or (is_elsewhere and provider in _COPIED):
            found["apis"] = [*(known.apis or _CHAT)]
        if url:
            found["base_url"] = url
        found["api_key"] = self._key(provider)
        if organization := self._text("organization"):
            found["organization"] = organization
        tags = [text(each, self._where) for each in entries(self._params.get("tags"), self._where)]
        if tags:
            found["tags"] = tags
        for channel in self._plan.channels:
            if all(channel.get(name) == value for name, value in found.items()):
                return channel
        name = self._plan.name(self._plan.channels, provider.replace("_", "-"))
        channel = {"name": name, **found, "models": []}
        self._plan.channels.append(channel)
        self._plan.note(self._where, "taken", f"channel {name}")
        return channel

    def _key(self, provider: str) -> str | Secret:
        key = self._params.get("api_key")
        where = f"{self._where}.litellm_params.api_key"
        if key is None:
            variable = f"{provider.upper()}_API_KEY"
            self._plan.note(where, "changed", f"not in the file: read from the variable {variable}")
            return f"${{{variable}}}"
        found = _reference(text(key, where))
        return found if found.startswith("${") else Secret(found)

    def _prices(self, channel: Table, model: str) -> None:
        priced = {**self._about, **self._params}
        found = {
            name: short(number(priced[member], f"{self._where}.{member}") * MILLION)
            for member, name in _PRICES.items()
            if priced.get(member) is not None
        }
        if not found:
            return
        if not {"input", "output"} <= found.keys():
            self._plan.note(
                self._where, "left", f"prices of {model}: one of input and output lacks"
            )
            return
        known = {price["model"] for price in channel.get("prices", [])}
        if model not in known:
            channel.setdefault("prices", []).append({"model": model, **found})
            self._plan.note(self._where, "taken", f"prices of {model}, by the million tokens")

    def _serve(self, channel: str, model: str) -> None:
        """Let the public name go there."""
        if "*" in self._public:
            outcome: Outcome = "taken" if self._public in ("*", model) else "changed"
            self._plan.note(
                self._where, outcome, f"channel {channel} serves {model} by its own name"
            )
            return
        target: Table = {"channel": channel}
        if model != self._public:
            target["model"] = model
        self._share(target)
        if order := self._params.get("order"):
            with one_of_many(self._plan):
                target["order"] = int(number(order, f"{self._where}.order"))
        table_ = next((each for each in self._plan.models if each["name"] == self._public), None)
        if table_ is None:
            table_ = {"name": self._public, "targets": []}
            self._plan.models.append(table_)
            self._plan.note(self._where, "taken", f"model {self._public}")
        twin = next((each for each in table_["targets"] if _place(each) == _place(target)), None)
        if twin is None:
            table_["targets"].append(target)
            return
        twin["weight"] = twin.get("weight", 1) + target.get("weight", 1)
        why = f"model {self._public} is there already at channel {channel}: it has both weights"
        self._plan.note(self._where, "changed", why)

    def _share(self, target: Table) -> None:
        """Give a target its share of the sessions."""
        share = next((n for n in ("weight", "rpm", "tpm") if self._params.get(n)), "")
        if not share:
            return
        with one_of_many(self._plan):
            target["weight"] = number(self._params[share], f"{self._where}.{share}")
            if share != "weight":
                why = f"{share} shares sessions out as a weight; as a limit: longwire channels edit"
                self._plan.note(f"{self._where}.litellm_params.{share}", "changed", why)


def _place(target: Table) -> Sequence[object]:
    """Return what tells a target from others of its model."""
    return (target["channel"], target.get("model"), target.get("order", 0))


def _parted(model: str) -> tuple[str, str]:
    """Return the provider of a model and its name there."""
    provider, slash, name = model.partition("/")
    if slash:
        return provider, name.removeprefix("responses/")
    found = next((known for pattern, known in _BARE if pattern.match(model)), "")
    return found, model


def _reference(value: str) -> str:
    """Return a reference to the environment as it is written here."""
    if value.startswith(_ENVIRONMENT):
        return f"${{{value.removeprefix(_ENVIRONMENT)}}}"
    return value


def _aliases(plan: Plan, aliases: Mapping[str, Any]) -> None:
    for alias, of in aliases.items():
        named = of.get("model") if isinstance(of, Mapping) else of
        where = f"router_settings.model_group_alias.{alias}"
        model = next((each for each in plan.models if each["name"] == named), None)
        if model is None or any(each["name"] == alias for each in plan.models):
            plan.note(where, "left", f"there is no model {named} that could have this name, too")
            continue
        targets = [{**each, "model": each.get("model", named)} for each in model["targets"]]
        plan.models.append({"name": alias, "targets": targets})
        plan.note(where, "taken", f"model {alias}, with the targets of {named}")


def _fallbacks(plan: Plan, section: str, settings: Mapping[str, Any]) -> None:
    known = {model["name"]: model for model in plan.models}
    for each in entries(settings.get("fallbacks"), f"{section}.fallbacks"):
        for name, others in table(each, f"{section}.fallbacks").items():
            where = f"{section}.fallbacks.{name}"
            wanted = [other for other in entries(others, where) if isinstance(other, str)]
            found = [other for other in wanted if other in known and other != name]
            if name not in known or not found:
                plan.note(where, "left", "it names no model that is taken over")
                continue
            known[name]["fallbacks"] = found
            outcome: Outcome = "taken" if len(found) == len(wanted) else "changed"
            plan.note(where, outcome, f"fallbacks of model {name}: {', '.join(found)}")
    default = entries(settings.get("default_fallbacks"), f"{section}.default_fallbacks")
    for model in plan.models if default else ():
        found = [other for other in default if other in known and other != model["name"]]
        if found and "fallbacks" not in model:
            model["fallbacks"] = found
    if default:
        plan.note(f"{section}.default_fallbacks", "taken", "fallbacks of each model without others")


def _master_key(plan: Plan, settings: Mapping[str, Any]) -> None:
    if not (key := settings.get("master_key")):
        return
    found = _reference(text(key, "general_settings.master_key"))
    if not found.startswith("${") and not is_key(found):
        why = f"{NO_KEY}; make one: longwire keys create NAME"
        plan.note("general_settings.master_key", "left", f"API key master: {why}")
        return
    value = found if found.startswith("${") else Secret(found)
    plan.api_keys.append({"name": "master", "key": value})
    why = "API key master: it calls models; who administers signs in to the page"
    plan.note("general_settings.master_key", "changed", why)
