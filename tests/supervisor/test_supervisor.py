"""A crew of small programs: it starts stage by stage, and ends as one."""

import asyncio
import os
import signal
import sys
from itertools import pairwise

import pytest

from longwire.supervisor.logged import HAPROXY, VALKEY
from longwire.supervisor.program import Command, Program
from longwire.supervisor.supervisor import Crew, Supervisor
from tests.doubles.valkey import until

pytestmark = pytest.mark.process

ENDLESS = "import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {ENDLESS}"


@pytest.fixture(autouse=True)
def signals():
    """Those of this process; a supervisor leaves them blocked, since its process is to end."""
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, ())
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


async def at_once():
    """A program that serves as soon as it is started."""


async def never():
    await asyncio.Event().wait()


def program(code, name="one", is_ready=at_once, lines=None):
    command = Command((sys.executable, "-c", code), os.environ)
    return Program(name, lambda: command, is_ready, lines)


def crew(*workers, share=(), before=(), announce=lambda: None):
    return Crew(workers, share, before, announce, lambda: None)


async def test_one_that_cannot_start_ends_all_with_its_status():
    """The others are ended, nothing is announced, and no later stage begins."""
    announced = []
    bad = program("import sys; sys.exit(3)", is_ready=never)
    good, later = program(ENDLESS), program(ENDLESS)
    supervisor = Supervisor(crew(good, bad, before=[later], announce=lambda: announced.append(1)))
    async with asyncio.timeout(10):
        assert 3 == await supervisor.run()
    assert ([], False) == (announced, later.settled.is_set())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_while_it_starts_ends_it(number):
    """Those that were started end; nothing is announced."""
    announced = []
    slow = program(ENDLESS, is_ready=never)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        supervisor = Supervisor(crew(slow, announce=lambda: announced.append(1)))
        running = group.create_task(supervisor.run())
        await asyncio.sleep(0.3)
        os.kill(os.getpid(), number)
    assert (0, []) == (running.result(), announced)


async def test_a_second_signal_waits_for_nobody_for_long(monkeypatch):
    """One that obeys no signal is killed."""
    monkeypatch.setattr("longwire.supervisor.supervisor._PATIENCE", 0.2)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        running = group.create_task(Supervisor(crew(program(DEAF))).run())
        await asyncio.sleep(0.5)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.1)
    assert 0 == running.result()


async def test_one_that_dies_again_and_again_is_started_with_pauses():
    """Each pause is longer than the one before."""
    starts = []

    def command():
        starts.append(asyncio.get_running_loop().time())
        return Command((sys.executable, "-c", "import time; time.sleep(0.05)"), os.environ)

    one = Program("one", command, at_once)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(one.keep())
        await until(lambda: len(starts) == 4)
        one.end(signal.SIGKILL)
    pauses = [after - before for before, after in pairwise(starts)]
    assert sorted(pauses) == pauses


@pytest.mark.parametrize(
    ("lines", "line", "expected"),
    [
        (HAPROXY, "[WARNING]  (12) : Server longwire/lw-0 is DOWN", ("warning", "Server lo")),
        (HAPROXY, "[ALERT]    (12) : config: no", ("error", "config: n")),
        (HAPROXY, "something new", ("warning", "something")),
        (HAPROXY, "[NOTICE]   (12) : haproxy version is 2.8", None),
        (VALKEY, "12:M 29 Nov 2026 21:00:00.123 # Out of memory", ("warning", "Out of me")),
        (VALKEY, "12:M 29 Nov 2026 21:00:00.123 # WARNING Memory overcommit must", None),
    ],
)
def test_what_others_say_is_logged_as_ours(monkeypatch, lines, line, expected):
    """With its level; what is of no use here is left out."""
    logged = []

    class Log:
        def __getattr__(self, level):
            return lambda _, said: logged.append((level, said[:9]))

    monkeypatch.setattr("longwire.supervisor.logged._log", Log())
    lines(line)
    assert ([expected] if expected else []) == logged
