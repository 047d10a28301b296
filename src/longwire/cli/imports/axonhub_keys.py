"""AxonHub's API keys: the same keys, and in the database what their active profile lets them.

https://github.com/looplj/axonhub: docs/en/guides/api-key-profiles.md.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from longwire.cli.imports.plan import Plan, Table
from longwire.cli.imports.reading import NO_KEY, entries, is_key, number, table, text
from longwire.core.errors import ConfigurationError
from longwire.core.nouns.access import Budgets, check_limits
from longwire.core.nouns.price import nano_of
from longwire.core.nouns.secret import Secret

_DEFAULT_PROJECT: Final = "Default"
_OF_THE_DATABASE: Final = "with --apply; a key of a file has no limits"
_LEFT: Final = {
    "modelMappings": "names are mapped by models and by renames of channels, not by keys",
    "quota": "budgets are of tokens and US dollars, by UTC day and month",
}


def api_key(
    plan: Plan, channels: Mapping[object, Table], where: str, entry: Mapping[str, Any]
) -> None:
    """Put a key into the plan, or say why not; `channels` are those taken over, by their ids."""
    name, key = text(entry.get("name"), f"{where}.name"), text(entry.get("key"), f"{where}.key")
    if entry.get("status") not in (None, "enabled"):
        plan.note(where, "left", f"API key {name}: it is {entry['status']}")
        return
    if not is_key(key):
        plan.note(where, "left", f"API key {name}: {NO_KEY}")
        return
    grant: Table = {}
    project = text(entry.get("project_name"), where)
    if project not in ("", _DEFAULT_PROJECT):
        grant["project"] = project
        plan.note(f"{where}.project_name", "changed", f"project {project}, with --apply")
    for place, profile in _active(where, table(entry.get("profiles"), f"{where}.profiles")):
        if _names_channels(profile) and not (found := _channels(channels, place, profile)):
            plan.note(where, "left", f"API key {name}: none of its channels is taken over")
            return
        grant |= _granted(plan, place, profile)
        if _names_channels(profile):
            grant["channels"] = found
            plan.note(f"{place}.channels", "changed", f"{', '.join(found)}, {_OF_THE_DATABASE}")
    own = plan.name(plan.api_keys, name)
    plan.api_keys.append({"name": own, "key": Secret(key)})
    plan.grants[own] = grant
    plan.note(where, "taken" if own == name else "changed", f"API key {own}")


def _active(where: str, profiles: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    place = f"{where}.profiles"
    for each in entries(profiles.get("profiles"), place):
        profile = table(each, place)
        if profile.get("name") == profiles.get("activeProfile"):
            yield place, profile


def _names_channels(profile: Mapping[str, Any]) -> bool:
    return bool(profile.get("channelIDs") or profile.get("channelTags"))


def _channels(
    channels: Mapping[object, Table], where: str, profile: Mapping[str, Any]
) -> list[str]:
    """Return the channels that a profile names, by id or by a tag."""
    ids = entries(profile.get("channelIDs"), f"{where}.channelIDs")
    tags = {text(tag, where) for tag in entries(profile.get("channelTags"), f"{where}.channelTags")}
    return [
        channel["name"]
        for id_, channel in channels.items()
        if id_ in ids or tags & {*channel.get("tags", ())}
    ]


def _granted(plan: Plan, where: str, profile: Mapping[str, Any]) -> Table:
    """Return the models and budgets of a profile; what else it says is noted."""
    grant: Table = {}
    if models := [text(each, where) for each in entries(profile.get("modelIDs"), where)]:
        grant["models"] = models
        plan.note(f"{where}.modelIDs", "changed", f"{', '.join(models)}, {_OF_THE_DATABASE}")
    quota = table(profile.get("quota"), f"{where}.quota")
    budgets = _budgets(where, quota)
    if problem := next(check_limits("quota", Budgets(**budgets)), None):
        why = (
            "nothing may be spent, so there is nothing to take over"
            if 0 in budgets.values()
            else problem.message
        )
        raise ConfigurationError(f"{where}.quota: the API key is left with it: {why}")
    if budgets:
        grant |= budgets
        named = ", ".join(budgets)
        plan.note(f"{where}.quota", "changed", f"{named} by UTC days, {_OF_THE_DATABASE}")
    if profile.get("modelMappings"):
        plan.note(f"{where}.modelMappings", "left", _LEFT["modelMappings"])
    if quota and (not budgets or quota.get("requests")):
        plan.note(f"{where}.quota{'.requests' if budgets else ''}", "left", _LEFT["quota"])
    return grant


def _budgets(where: str, quota: Mapping[str, Any]) -> Table:
    """Return the budgets of a quota by calendar days or months."""
    period = table(quota.get("period"), f"{where}.quota.period")
    unit = table(period.get("calendarDuration"), f"{where}.quota.period").get("unit")
    if period.get("type") != "calendar_duration" or unit not in ("day", "month"):
        return {}
    budgets: Table = {}
    if (tokens := quota.get("totalTokens")) is not None:
        budgets[f"tokens_per_{unit}"] = int(number(tokens, f"{where}.quota.totalTokens"))
    if (cost := quota.get("cost")) is not None:
        budgets[f"cost_per_{unit}"] = nano_of(number(cost, f"{where}.quota.cost"))
    return budgets
