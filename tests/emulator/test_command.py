"""`longwire emulator` from start to end of its process."""

import signal
import socket
import subprocess
import sys

import pytest

from longwire.emulator.oddities import ODDITIES

pytestmark = pytest.mark.process

RUN = "import typer; from longwire.cli.emulator import emulator; typer.run(emulator)"


def command(*flags, **options):
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_a_signal_and_exits_with_0(number):
    """The address is printed, with port 0 too, and a signal ends the command in order."""
    flags = ("--port", "0", "--verbose", "--set", "lifetime=60", "--script", '{"deltas": 2}')
    with command(*flags, "--fault", "at=mid_delta,act=close,code=1000") as running:
        assert running.stdout.readline().startswith("Upstream emulator on http://127.0.0.1:")
        running.send_signal(number)
        _, errors = running.communicate(timeout=10)
        assert (0, "") == (running.returncode, errors)


def test_busy_port_is_one_line_with_the_mend():
    """A port in use is told on stderr, exit code 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with command("--port", str(taken.getsockname()[1])) as running:
            _, errors = running.communicate(timeout=10)
            assert (1, 1, True) == (running.returncode, errors.count("\n"), "--port 0" in errors)


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--fault", "at=never,act=hang"), "$.at"),
        (("--set", "novelty=1"), "novelty"),
        (("--set", "lifetime=long"), "lifetime"),
        (("--script", '{"deltas": 0}'), "deltas"),
        (("--oddity", "bare_eror"), "did you mean bare_error?"),
    ],
)
def test_bad_flag_names_the_field(flags, word):
    """A value that does not fit is one line naming it, exit code 2."""
    with command(*flags) as running:
        _, errors = running.communicate(timeout=10)
        assert (2, 1, True) == (running.returncode, errors.count("\n"), word in errors)


def test_oddities_are_listed():
    """One line for each: its name and its sentence."""
    with command("--oddity", "list") as running:
        listed, errors = running.communicate(timeout=10)
    assert (0, "") == (running.returncode, errors)
    assert [[name, each.sentence] for name, each in ODDITIES.items()] == [
        line.split(maxsplit=1) for line in listed.splitlines()
    ]
