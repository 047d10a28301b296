"""A collector that takes nothing: what is said of it, and the end of the process."""

import threading
import time

import pytest
from requests.exceptions import InvalidHeader
from structlog.testing import capture_logs

from longwire.relay.records.telemetry.sending import FAREWELL, Reach, ended, mend_of


async def test_a_farewell_that_hangs_is_given_up_and_said_once():
    """The process waits a bounded time, and the log has one warning of it."""
    released = threading.Event()
    reach, began = Reach("traces"), time.monotonic()
    with capture_logs() as logged:
        await ended(lambda: released.wait(30) and None, reach)
        took = time.monotonic() - began
        reach.note(succeeded=False)
    released.set()
    assert FAREWELL <= took < FAREWELL + 2
    assert [("telemetry_not_sent", "traces")] == [(each["event"], each["kind"]) for each in logged]


@pytest.mark.parametrize(
    ("status", "error", "mend"),
    [
        (401, None, "see telemetry.headers; the collector answers 401"),
        (404, None, "see telemetry.endpoint; the collector answers 404"),
        (None, InvalidHeader("planted"), "see telemetry.headers"),
        (None, UnicodeEncodeError("latin-1", "planted", 0, 1, ""), "see telemetry.headers"),
        (None, ConnectionError("planted"), "see telemetry.endpoint; ConnectionError"),
        (None, None, "see telemetry.endpoint"),
    ],
)
def test_the_mend_names_what_is_wrong(status, error, mend):
    """Where it is sent, or what is sent with it; never a value."""
    assert mend == mend_of(status, error)
