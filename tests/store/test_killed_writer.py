import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

KILLS = 50
BATCH = 20
ROOT = Path(__file__).parents[2]

WRITER = """
import asyncio, os, sys

from longwire.store.database import Database
from longwire.store.secrets import Vault
from longwire.store.turns import Turns
from tests.store.turn_rows import bodies, row


async def write(path, first, size):
    database = Database(f"sqlite:///{path}")
    turns = Turns(database, Vault((b"k" * 32,)))
    print(os.getpid(), flush=True)
    while True:
        rows = [row(number) for number in range(first, first + size)]
        await turns.add(rows, [bodies(each) for each in rows])
        first += size
        print(rows[-1].id, flush=True)


while first := sys.stdin.readline():
    if (child := os.fork()) == 0:
        asyncio.run(write(sys.argv[1], int(first), int(sys.argv[2])))
    _, status = os.waitpid(child, 0)
    print("ended", os.waitstatus_to_exitcode(status), flush=True)
"""
"""Writes in a process of its own for each line it is told, forked from what is imported once."""


@pytest.mark.process
@pytest.mark.timeout(240)
def test_a_writer_that_is_killed_loses_nothing_it_said_it_had(tmp_path, sqlite_template):
    """Killed 50 times at any moment: no damage, every committed row, its body and its sums."""
    path = tmp_path / "longwire.db"
    path.write_bytes(sqlite_template.read_bytes())
    committed = 0
    command = [sys.executable, "-c", WRITER, str(path), str(BATCH)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as writers:
        for kill in range(KILLS):
            told = _write_until_killed(writers, kill, committed)
            found, first, last = _checked(path)
            assert last is not None
            assert last - first + 1 == found, "a gap: a batch before the last one is missing"
            assert told <= last
            committed = found
    assert committed >= KILLS * BATCH


def _write_until_killed(writers, kill, committed):
    """Kill a writer after some batches, at a moment that differs; return the last id it told."""
    print(committed, file=writers.stdin, flush=True)
    pid = int(writers.stdout.readline())
    told = [writers.stdout.readline() for _ in range(1 + kill % 4)]
    for _ in range(kill * 997):  # up to about a batch: the blow falls in each phase of one
        pass
    os.kill(pid, signal.SIGKILL)
    while not (line := writers.stdout.readline()).startswith("ended"):
        assert line
        told.append(line)
    assert f"ended {-signal.SIGKILL}\n" == line
    return int(told[-1])


def _checked(path):
    """Open the file as the next start does; return how many rows there are, and their ends."""
    with closing(sqlite3.connect(path)) as connection:
        assert ("ok",) == connection.execute("PRAGMA integrity_check").fetchone()
        rows = connection.execute("SELECT count(*), min(id), max(id) FROM turns").fetchone()
        bodies = connection.execute("SELECT count(*) FROM turn_bodies").fetchone()
        sums = connection.execute("SELECT sum(turns) FROM usage WHERE span = 'd'").fetchone()
        assert (rows[0],) == bodies == sums
        return rows
