"""`longwire nodes`: who is there, as the nodes of a fleet announce themselves in Valkey."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from longwire.cli.joined import with_fleet
from longwire.cli.sessions import age_text
from longwire.cli.store import AsJson, Config
from longwire.cli.tables import show_json, show_table

if TYPE_CHECKING:
    from longwire.fleet.nodes import Node, Presence

_TITLES = ("name", "version", "stage", "up", "sessions", "turns/s", "under way", "heard", "counts")


def nodes(config: Config = None, as_json: AsJson = False) -> None:
    """Show the nodes of the fleet: version, stage, sessions, turns, and what counts where."""
    import typer

    from longwire.settings import load

    presence = with_fleet(load(config), lambda fleet: fleet.nodes.others())
    if as_json:
        show_json(
            {
                "nodes": [_fields(node) for node in presence.nodes],
                "missing": [
                    {"name": name, "silent_for": round(age, 1)}
                    for name, age in presence.silent.items()
                ],
            }
        )
        return
    now = time.time()
    show_table(_TITLES, [_cells(node, now) for node in presence.nodes], "no node is there")
    for line in (*silences(presence), *taken_names(presence)):
        typer.echo(line)


def silences(presence: "Presence") -> Iterator[str]:
    """Yield a line for each node that went silent."""
    for name, age in sorted(presence.silent.items()):
        yield f"{name} has not been heard for {age_text(age)}, and did not say that it leaves"


def taken_names(presence: "Presence") -> Iterator[str]:
    """Yield a line for each name that several processes have."""
    for name in sorted(presence.taken_names):
        yield f"several processes are named {name}; give each its own name in fleet.node"


def _fields(node: "Node") -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(node), "age": round(node.age, 1)}


def _cells(node: "Node", now: float) -> tuple[str, ...]:
    figures = node.figures
    return (
        node.name,
        node.version,
        node.stage,
        age_text(max(now - node.since, 0.0)),
        f"{figures.get('sessions', 0):.0f}",
        f"{figures.get('turns_per_second', 0):.1f}",
        f"{figures.get('turns_under_way', 0):.0f}",
        f"{age_text(node.age)} ago",
        _counts(node),
    )


def _counts(node: "Node") -> str:
    """Say where a node counts, and what it counts elsewhere than the most."""
    places = list(node.counts.values())
    if not places:
        return "–"
    usual = max(sorted(set(places)), key=places.count)
    others = [f"{what}: {where}" for what, where in node.counts.items() if where != usual]
    return "; ".join((usual, *others))
