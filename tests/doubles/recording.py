"""The record of one turn for the length of a context, booked at its end as a running turn's is."""

from contextlib import contextmanager

from longwire.core.rules.turn import TurnRequest
from longwire.relay.records.accounting import TurnRecord


@contextmanager
def recorded(accounting, turn, caller, **named):
    """A record, booked with the exception that leaves the context, if one does."""
    request = TurnRequest(turn, caller, started=accounting.clock(), **named)
    record, failure = TurnRecord(request), None
    try:
        yield record
    except BaseException as error:
        failure = error
        raise
    finally:
        accounting.book(record, failure)
