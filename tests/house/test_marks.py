"""Each test is marked with what it needs, and one that is `fast` starts no process."""

import asyncio
import os
import subprocess
import sys

import pytest
import uvloop

from tests.marks import NEEDS, needs

TRUE = (sys.executable, "-c", "")


@pytest.mark.parametrize(
    ("folder", "fixtures", "engine", "own", "marks"),
    [
        ("core", [], None, [], {"fast"}),
        ("store", ["store"], "sqlite", [], {"fast"}),
        ("store", ["store"], "postgresql", [], {"db"}),
        ("server", ["postgresql_server"], None, [], {"db"}),
        ("ui", ["browser"], None, [], {"browser"}),
        ("cli", ["longwire", "url"], "postgresql", [], {"db", "process"}),
        ("journeys", ["codex", "binary"], None, [], {"clients"}),
        ("server", [], None, ["parametrize", "process"], {"process"}),
        ("fleet", [], None, ["fleet"], {"fleet"}),
    ],
)
def test_what_a_test_needs(folder, fixtures, engine, own, marks):
    """Folder, fixtures, engine and its own marks say what a test needs; else it is fast."""
    assert marks == needs(folder, fixtures, engine, own)


def test_every_mark_is_registered(pytestconfig):
    """Whoever asks for the marks with `pytest --markers` is told of each."""
    registered = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    assert {"fast", *NEEDS} <= registered


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run(TRUE, check=False),
        lambda: os.posix_spawn(TRUE[0], TRUE, os.environ),
    ],
)
def test_a_fast_test_starts_no_process(start):
    """It fails where it tries, and is told the mark that lets it."""
    with pytest.raises(AssertionError, match=r"a_fast_test.* starts a process: @pytest.mark.proc"):
        start()


def test_uvloop_starts_none_either(monkeypatch):
    """Its processes are noticed, though nothing can stop them any more."""
    noticed = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: noticed.append(str(found.exc_value)))

    async def start():
        process = await asyncio.create_subprocess_exec(*TRUE)
        await process.wait()
        process._transport.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(start())
    assert ["starts a process" in each for each in noticed] == [True]


@pytest.mark.process
def test_one_that_says_so_starts_processes():
    """The mark lets it."""
    assert 0 == subprocess.run(TRUE, check=False).returncode
