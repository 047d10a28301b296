"""The benchmarks run, tell a table, and keep the sizes of the house; what they tell is no test."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.figures import in_turns
from tests.house.test_sizes import name_problems, size_problems

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "bench").glob("*.py"))
MODULE_LINES = 250
FLOOR_LINES = 80


def bench(*arguments):
    """Run `python -m bench` in the checkout."""
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_is_compared_takes_turns_to_begin():
    """Who is always second would bear what the first one leaves."""
    done = []
    measures = {"a": lambda: done.append("a") or 1.0, "b": lambda: done.append("b") or 2.0}
    assert in_turns(measures, 3) == {"a": (1.0,) * 3, "b": (2.0,) * 3}
    assert done == ["a", "b", "b", "a", "a", "b"]


@pytest.mark.process
def test_all_are_named():
    """Each benchmark says what it measures, and a wrong name is told from a missed target."""
    listed = bench("--list")
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [
        "decision",
        "dialects",
        "fleet",
        "growth",
        "idle",
        "idle-clients",
        "log",
        "memory",
        "million",
        "relay",
        "start",
        "telemetry",
        "upstreams",
        "soak",
    ]
    unknown = bench("decission")
    assert unknown.returncode == 2
    assert "decission" in unknown.stderr


@pytest.mark.process
def test_a_quick_look():
    """Short rounds give a table for each name."""
    result = bench("--quick", "decision", "memory")
    assert result.returncode == 0, result.stderr
    assert "## decision" in result.stdout
    assert "## memory" in result.stdout
    rows = [line for line in result.stdout.splitlines() if line.startswith("| ")]
    assert [row for row in rows if row.count("|") != 7] == []
    assert [row for row in rows if "| ≤ " in row] != []


@pytest.mark.process
def test_a_short_soak():
    """Random agents and faults break no law; a broken one would be told and fail the run."""
    result = bench("soak", "--turns", "200", "--sessions", "12")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "| wrong contexts | 0 (0–0) |  |  | ≤ 0 | reached |" in result.stdout
    assert "all targets reached" in result.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_module_keeps_the_limits(path):
    """Modules are small, functions short, names plain."""
    source = path.read_text(encoding="utf-8")
    assert [*size_problems(source), *name_problems(path.stem, source)] == []
    assert source.count("\n") <= (FLOOR_LINES if path.stem == "floor" else MODULE_LINES)
