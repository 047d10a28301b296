"""The record of one turn for the length of a context, booked at its end as `Relay.open` does."""

from contextlib import contextmanager


@contextmanager
def recorded(accounting, turn, caller, **named):
    """A record, booked with the exception that leaves the context, if one does."""
    record, failure = accounting.begin(turn, caller, **named), None
    try:
        yield record
    except BaseException as error:
        failure = error
        raise
    finally:
        accounting.book(record, failure)
