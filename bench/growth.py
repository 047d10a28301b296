"""How the cost of a turn grows with its history, and what receiving a large body costs.

Each turn is continued: its history is known, and only a few new items are sent on. Receiving is
compared with the least that Python can do: `recv_into` a buffer that was made for the whole body.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from bench.clients import perform
from bench.figures import Row, Spread, ratio
from bench.processes import Server, gateway, serving
from bench.tally import Job

_SIZES = {"10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000, "5 MB": 5_000_000}
_TURNS, _PLAN = 12, "bench:4x8@0:"
_RECEIVING = 2.0


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """CPU of a continued turn by the size of its history, and of receiving a body."""
    rounds = 2 if quick else 5
    with (
        serving("bench.upstream", "ws") as upstream,
        serving("bench.receiving", "buffered") as least,
        serving("bench.receiving", "uvicorn") as plain,
        gateway(upstream.url) as longwire,
    ):
        servers = {"recv_into": least, "uvicorn alone": plain, "Longwire": longwire}
        taken = {size: _taken(servers, bytes_, rounds) for size, bytes_ in _SIZES.items()}
    rows = [row for size, figures in taken.items() for row in _told(size, figures)]
    return [*rows, *_slopes(taken)]


def _taken(servers: Mapping[str, Server], size: int, rounds: int) -> Mapping[str, Sequence[float]]:
    job = Job("growth", _PLAN, 2, _TURNS, 1, size, 1_000, opened=True)
    taken: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            outcome = perform(job, server, (server,), is_exact=False)
            taken[name].append(outcome.spent[0] / outcome.tally.turns * 1e6)
    return taken


def _told(size: str, taken: Mapping[str, Sequence[float]]) -> list[Row]:
    """Tell what a turn costs; only receiving by the server in use has a target, for 1 MB."""
    least = taken["recv_into"]
    rows = []
    for name, figures in taken.items():
        has_target = name == "uvicorn alone" and size == "1 MB"
        compared = None if figures is least else ratio(figures, least)
        about = f"history of {size}: {name}"
        target = _RECEIVING if has_target else None
        rows.append(Row(about, Spread.of(figures), "µs/turn", compared, target))
    return rows


def _slopes(taken: Mapping[str, Mapping[str, Sequence[float]]]) -> list[Row]:
    """Tell what each further 100 KB cost, between one size and the next: the same, if linear."""
    rows = []
    sizes = list(_SIZES.items())
    for (small, fewer), (large, more) in pairwise(sizes):
        steps = zip(taken[small]["Longwire"], taken[large]["Longwire"], strict=True)
        slope = Spread.of((b - a) / (more - fewer) * 100_000 for a, b in steps)
        rows.append(Row(f"each 100 KB from {small} to {large}: Longwire", slope, "µs"))
    return rows
