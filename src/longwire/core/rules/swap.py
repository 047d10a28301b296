"""From the channels that run to those that shall: what stays, what starts, what is retired.

Law: a channel is kept, with all its connections, unless what its connections depend on changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Swap:
    """Ids of channels: `keep` maps those that shall run to the running one each of them is.

    `start` and `retire` are in the order of their mappings.
    """

    keep: Mapping[str, str]
    start: tuple[str, ...]
    retire: tuple[str, ...]


def plan(running: Mapping[str, str], desired: Mapping[str, str]) -> Swap:
    """Compare channels by id and fingerprint, the digest of what their connections depend on.

    One that has vanished and one that is new with the same fingerprint are one that was renamed.
    """
    keep = {each: each for each, mark in desired.items() if running.get(each) == mark}
    vanished = {mark: each for each, mark in running.items() if each not in desired}
    for each, mark in desired.items():
        if each not in running and mark in vanished:
            keep[each] = vanished.pop(mark)
    kept = set(keep.values())
    return Swap(
        keep,
        start=tuple(each for each in desired if each not in keep),
        retire=tuple(each for each in running if each not in kept),
    )
