"""The end of a process whose collector does not answer."""

import threading
import time

from structlog.testing import capture_logs

from longwire.relay.records.telemetry.sending import FAREWELL, Reach, ended


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
