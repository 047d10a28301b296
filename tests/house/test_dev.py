"""`dev.py`, the one entry on a fresh machine, runs on Python alone and says how things ended."""

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import dev

ROOT = Path(__file__).parents[2]


@pytest.mark.process
@pytest.mark.parametrize(("words", "code"), [([], 0), (["--help"], 0), (["tset"], 2)])
def test_usage(words, code):
    """Without a command, or with a wrong one, all commands are named and nothing is installed."""
    command = [sys.executable, str(ROOT / "dev.py"), *words]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    told = result.stdout + result.stderr
    assert result.returncode == code
    assert [w for w in ("setup", "test", "demo", "bench", "lint", "fix") if w not in told] == []


def test_only_the_standard_library():
    """A fresh machine has nothing but Python."""
    tree = ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {getattr(node, "module", None) or node.names[0].name for node in imports}
    assert {name.partition(".")[0] for name in named} - set(sys.stdlib_module_names) == set()


@pytest.mark.process
def test_every_step_runs_and_is_told(capfd):
    """A failing step stops no other one; the end tells each, and the exit code tells all."""
    python = Path(sys.executable).name
    steps = {
        "first": [python, "-c", "raise SystemExit(3)"],
        "second": [python, "-c", "print('ran')"],
    }
    assert dev.run_all(steps) == 1
    told = capfd.readouterr().out
    assert "ran\n" in told
    outcomes = [line.split()[:2] for line in told.strip().split("\n")[-2:]]
    assert outcomes == [["FAILED", "first"], ["ok", "second"]]
    assert dev.run_all({"second": steps["second"]}) == 0


@pytest.mark.process
def test_what_runs_side_by_side_is_told_in_order(capfd, tmp_path):
    """Two steps run at a time; each is told whole, with its errors, and counts for the exit."""
    python = Path(sys.executable).name
    meets = """
import pathlib, sys, time
mine, other = map(pathlib.Path, sys.argv[1:3])
mine.touch()
ends = time.monotonic() + 20
while not other.exists() and time.monotonic() < ends:
    time.sleep(0.01)
print(mine.name, 'met' if other.exists() else 'waited in vain')
"""
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    bad = "import sys; print('three', flush=True); sys.exit('bad')"
    before = {
        "first": [python, "-c", meets, one, two],
        "second": [python, "-c", meets, two, one],
        "third": [python, "-c", bad],
    }
    assert dev.run_all({"last": [python, "-c", "print('end')"]}, before=before) == 1
    told = [line for line in capfd.readouterr().out.splitlines() if line]
    steps = ["── first", "one met", "── second", "two met", "── third", "three", "bad"]
    assert told[:-4] == [*steps, "── last", "end"]
    outcomes = [line.split()[:2] for line in told[-4:]]
    assert outcomes == [["ok", "first"], ["ok", "second"], ["FAILED", "third"], ["ok", "last"]]


@pytest.mark.process
@pytest.mark.parametrize(("second", "outcome"), [(0, "FLAKY"), (3, "FAILED")])
def test_a_second_try_is_told(capfd, second, outcome):
    """A step that succeeds only the second time passes, and the end says so."""
    python = Path(sys.executable).name
    steps = {"first": [python, "-c", "raise SystemExit(3)"]}
    tries = {"first": [python, "-c", f"raise SystemExit({second})"]}
    assert dev.run_all(steps, tries) == int(outcome == "FAILED")
    assert capfd.readouterr().out.strip().split("\n")[-1].split()[:2] == [outcome, "first"]


@pytest.mark.parametrize("is_built", [True, False])
def test_arguments_go_to_pytest_alone(monkeypatch, capfd, is_built):
    """`test` runs everything; with arguments only pytest runs, and gets them."""
    ran = []
    monkeypatch.setattr(
        dev, "run_all", lambda steps, before=None, **_: ran.append((before or {}) | steps) or 0
    )
    monkeypatch.setattr(dev, "is_ui_built", lambda: is_built)
    dev.test([])
    dev.test(["-k", "x"])
    assert list(ran[0]) == [*dev.LINT, *(dev.UI_STEPS if is_built else ()), "pytest"]
    assert ran[1] == {"pytest": ["pytest", "-k", "x"]}
    assert is_built or "is not tested" in capfd.readouterr().err


def test_quick_runs_what_is_fast(monkeypatch):
    """`--quick` selects, with a process more than cores; other arguments go to pytest as ever."""
    monkeypatch.setenv("TMPDIR", tempfile.gettempdir())
    ran = []
    monkeypatch.setattr(dev, "run_all", lambda steps, **_: ran.append(steps["pytest"]) or 0)
    for name in ("prepare", "build_ui"):
        monkeypatch.setattr(dev, name, lambda name=name: ran.append(name))
    for words in ([], ["tests/core", "-k", "turn"]):
        monkeypatch.setattr(sys, "argv", ["dev.py", "test", "--quick", *words])
        assert 0 == dev.main()
    quick = ["pytest", "-m", "fast", *dev.IN_PARALLEL, *dev.TWO_MORE]
    assert ["prepare", quick, "prepare", [*quick, "tests/core", "-k", "turn"]] == ran


def test_installs_only_when_the_pins_changed(monkeypatch, tmp_path):
    """The environment is brought up to date once, and again after a change of the pins."""
    ran = []
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(dev, "find_uv", lambda: "uv")
    monkeypatch.setattr(dev, "require", lambda command, _mend: ran.append(command))
    for name in dev.PINS:
        (tmp_path / name).touch()
    dev.prepare()
    dev.prepare()
    assert len(ran) == 1
    assert ran[0][:4] == ["uv", "sync", "--frozen", "--compile-bytecode"]
    (tmp_path / "uv.lock").write_text("changed", encoding="utf-8")
    dev.prepare()
    assert len(ran) == 2


@pytest.mark.process
def test_a_failed_preparation_says_the_mend(capfd):
    """What cannot be installed ends the program with what to do about it."""
    with pytest.raises(SystemExit, match=r"dev\.py: install it"):
        dev.require([sys.executable, "-c", "raise SystemExit(1)"], "install it")
    assert "Traceback" not in capfd.readouterr().err


def test_byte_code_is_written(monkeypatch):
    """Imports take seconds without byte code, so it is always written."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in dev.environment()


def test_what_tests_write_stays_in_memory(monkeypatch, tmp_path):
    """While the suite runs, where there is room; nothing of it is left, nor taken from a user."""
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(dev, "MEMORY", tmp_path)
    monkeypatch.setattr(dev, "MEMORY_NEEDED", 0)
    with dev.in_memory() as options:
        place = Path(os.environ["TMPDIR"])
        assert [f"--basetemp={place}/t"] == options
        assert (tmp_path, 0o755) == (place.parent, place.stat().st_mode & 0o777)
        (place / "log.db").touch()
        with dev.in_memory() as none:
            assert ([], str(place)) == (none, os.environ["TMPDIR"])
    assert [] == list(tmp_path.iterdir())
    assert "TMPDIR" not in os.environ
    monkeypatch.setattr(dev, "MEMORY_NEEDED", 1 << 62)
    with dev.in_memory():
        assert "TMPDIR" not in os.environ
