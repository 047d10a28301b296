"""What is logged is one line per event, whoever logs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import logging, structlog
from longwire.server import logs
logs.configure()
log = structlog.get_logger()
try:
    1 / 0
except ZeroDivisionError as error:
    log.error("internal_error", request_id="req_1", exc_info=error)
    logging.getLogger("uvicorn.error").error("broken\\nin two", exc_info=error)
logging.getLogger("asyncio").info("not worth a line")
log.debug("neither")
"""


@pytest.mark.process
def test_a_trace_is_part_of_its_line():
    """Each line is JSON with time, level and event, traces included, from either kind of logger."""
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert run.stdout == b""
    ours, theirs = map(json.loads, run.stderr.decode().splitlines())
    assert (ours["event"], ours["level"], ours["request_id"]) == (
        "internal_error",
        "error",
        "req_1",
    )
    assert (theirs["event"], theirs["level"]) == ("broken\nin two", "error")
    for line in (ours, theirs):
        assert line["exception"].endswith("ZeroDivisionError: division by zero")
        assert line["timestamp"].endswith("Z")


@pytest.mark.process
def test_a_full_disk_ends_nothing():
    """A line that cannot be written is lost; who logs it goes on."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        run = subprocess.run(
            [sys.executable, "-c", f"{PROGRAM}\nprint('went on')"],
            check=False,
            stdout=subprocess.PIPE,
            stderr=full,
        )
    assert b"went on\n" == run.stdout


@pytest.mark.process
def test_each_line_names_the_node():
    """Whoever logs it, where the gateway is one of several."""
    program = PROGRAM.replace("configure()", "configure(node='lw-0')")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    lines = [json.loads(line) for line in run.stderr.decode().splitlines()]
    assert ["lw-0", "lw-0"] == [line["node"] for line in lines]
