"""`python -m bench [--quick] [--record] [--page] [NAME …]`: run benchmarks and print their tables.

A missed target is told and is no failure: timings depend on the machine. Unknown names exit with 2.
The soak is a check, runs only when named, and exits with 1 where a law was broken.
"""

import argparse
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import (
    decision,
    dialects,
    fleet,
    growth,
    idle,
    idle_clients,
    log_cost,
    memory,
    page,
    relay,
    soak,
    start,
    telemetry_cost,
    turn_log,
    upstreams,
)
from bench.chart import chart
from bench.figures import HEAD, Row

BENCHMARKS: Mapping[str, Callable[[bool], list[Row]]] = {
    "decision": decision.run,
    "dialects": dialects.run,
    "fleet": fleet.run,
    "growth": growth.run,
    "idle": idle.run,
    "idle-clients": idle_clients.run,
    "log": log_cost.run,
    "memory": memory.run,
    "million": turn_log.run,
    "relay": relay.run,
    "start": start.run,
    "telemetry": telemetry_cost.run,
    "upstreams": upstreams.run,
}
SOAK = "soak"
_PACKAGES = ("uvicorn", "uvloop", "httptools", "picows", "msgspec", "blake3")
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run what the command line names; without a name, everything."""
    given = _arguments()
    if given.list:
        for name, run in (*BENCHMARKS.items(), (SOAK, soak.run)):
            print(f"{name:<13} {run.__doc__}")
        return 0
    unknown = [name for name in given.names if name not in (*BENCHMARKS, SOAK)]
    if unknown:
        known = ", ".join((*BENCHMARKS, SOAK))
        print(f"bench: no benchmark {', '.join(unknown)}; there are {known}", file=sys.stderr)
        return 2
    machine = f"{_machine()}; load average {os.getloadavg()[0]:.1f}"
    print(machine, flush=True)
    found = {name: _told(name, given) for name in given.names or BENCHMARKS}
    missed = [
        f"{name}: {row.what}" for name, rows in found.items() for row in rows if row.is_missed
    ]
    print("\nmissed: " + "; ".join(missed) if missed else "\nall targets reached")
    for name in found if given.page else ():
        is_there = page.put(name, machine, _table(found[name]))
        print(f"{name}: {'put into' if is_there else 'has no marks in'} {page.PAGE.name}")
    if given.record or not (given.names or given.quick):
        print(f"recorded in {_record(found).relative_to(RESULTS.parents[1])}, with table and chart")
    return int(any(row.is_missed for row in found.get(SOAK, ())))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure; default: all")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, no result")
    parser.add_argument(
        "--record", action="store_true", help="write a record even if quick or in part"
    )
    parser.add_argument(
        "--page", action="store_true", help="put the tables into the page of the benchmarks"
    )
    parser.add_argument("--list", action="store_true", help="name all benchmarks")
    soaking = parser.add_argument_group("soak")
    soaking.add_argument("--turns", type=int, default=soak.TURNS, help="about so many in all")
    soaking.add_argument("--sessions", type=int, default=soak.SESSIONS, help="that share them")
    soaking.add_argument("--seed", type=int, default=soak.SEED, help="of all that is random")
    return parser.parse_args()


def _told(name: str, given: argparse.Namespace) -> list[Row]:
    """Run one benchmark and print its table."""
    if name == SOAK:
        rows = soak.run(soak.Plan(given.turns, given.sessions, given.seed))
    else:
        rows = BENCHMARKS[name](given.quick)
    print(f"\n## {name}\n\n{_table(rows)}", flush=True)
    return rows


def _machine() -> str:
    return f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"


def _described() -> dict[str, object]:
    """Describe the machine, as far as figures depend on it."""
    cpu = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*: (.+)", cpu.read_text() if cpu.exists() else "")
    return {
        "machine": _machine(),
        "processor": models[0] if models else platform.processor(),
        "kernel": platform.release(),
        "load_average": os.getloadavg(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _record(found: Mapping[str, Sequence[Row]]) -> Path:
    """Write a JSON record, and beside it the tables and the chart."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    record = {
        "taken": now.isoformat(timespec="seconds"),
        **_described(),
        "rows": {name: [asdict(row) for row in rows] for name, rows in found.items()},
    }
    path = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    tables = [f"## {name}\n\n{_table(rows)}" for name, rows in found.items()]
    path.with_suffix(".md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    if drawn := chart(row for rows in found.values() for row in rows):
        path.with_suffix(".svg").write_text(drawn, encoding="utf-8")
    return path


def _table(rows: Sequence[Row]) -> str:
    return "\n".join((HEAD, *map(str, rows)))


if __name__ == "__main__":
    sys.exit(main())
