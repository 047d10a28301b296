"""Channels that differ by their key alone become one channel with several keys.

Law: no key is used for a model that it was not used for before, and none more than before.
"""

from collections.abc import Sequence

from longwire.cli.imports.plan import Plan, Table

_OWN = ("name", "api_key", "models")


def join_keys(plan: Plan) -> None:
    """Join the channels at one place that serve the same models, as often and in the same order."""
    groups: list[list[Table]] = []
    for channel in plan.channels:
        found = next((each for each in groups if _are_alike(plan, each[0], channel)), None)
        if found is None:
            groups.append([channel])
        else:
            found.append(channel)
    for group in groups:
        if len(group) > 1:
            _join(plan, group)


def _are_alike(plan: Plan, one: Table, other: Table) -> bool:
    return (
        {**one, **dict.fromkeys(_OWN)} == {**other, **dict.fromkeys(_OWN)}
        and sorted(one["models"]) == sorted(other["models"])
        and _uses(plan, one["name"]) == _uses(plan, other["name"])
    )


def _uses(plan: Plan, channel: str) -> Sequence[tuple[str, Table]]:
    """Return where models name a channel, and how."""
    return [
        (model["name"], {**target, "channel": ""})
        for model in plan.models
        for target in model["targets"]
        if target.get("channel") == channel
    ]


def _join(plan: Plan, group: Sequence[Table]) -> None:
    """Leave the first of them, with all their keys and as much weight as they had together."""
    first, names = group[0], [channel["name"] for channel in group]
    first["api_keys"] = [channel.pop("api_key") for channel in group]
    first["weight"] = len(group)
    gone = {*names[1:]}
    plan.channels[:] = [each for each in plan.channels if each["name"] not in gone]
    for model in plan.models:
        model["targets"] = [each for each in model["targets"] if each.get("channel") not in gone]
    words = f"{', '.join(names)} differ by their key alone: channel {first['name']} has them all"
    plan.note("model_list", "changed", words)
