"""Ways to look at a log of a million turns: pages, finds, charts, timelines, words of bodies."""

import time
from collections.abc import Awaitable, Callable, Mapping

from longwire.core.nouns.turn_row import TurnBodies, TurnRow, earliest_id
from longwire.store.body_search import BodySearch
from longwire.store.database import Database
from longwire.store.latencies import EVERYTHING, Among, Figure, Latencies, Period
from longwire.store.runs import RunFilter, Runs
from longwire.store.turn_filter import ANY_TURN, TurnFilter
from longwire.store.turns import Turns
from longwire.store.usage import DAY, Usage, Where

PAGE_TARGET, RUN_TARGET, TARGET = 100.0, 100.0, 300.0
END = round(time.time()) // 86_400 * DAY + 32 * DAY
BEGIN = END - 30 * DAY
"""Days that are yet to come: PostgreSQL then has a part of the log for each, as a gateway makes."""

BODIES_EACH, OF_A_RUN = 10, 200
Work = Callable[[], Awaitable[object]]


def looks_at(
    database: Database, turns: Turns, search: BodySearch
) -> Mapping[str, tuple[Work, float]]:
    """Return by name each way to look, and the ms that it may take."""
    kinds = {
        "page": (_pages(turns), PAGE_TARGET),
        "find": (_finds(turns), TARGET),
        "30 days": (_charts(Usage(database)), TARGET),
        "latency": (_latencies(Latencies(database)), TARGET),
        "runs": (_runs(Runs(database)), TARGET),
        "run of 200 turns": (_timelines(Runs(database), turns), RUN_TARGET),
        "bodies": (_searches(search), TARGET),
    }
    return {
        f"{kind}, {name}": (work, target)
        for kind, (works, target) in kinds.items()
        for name, work in works.items()
    }


def bodies_of(row: TurnRow, number: int) -> TurnBodies:
    """Return bodies of a hundred words: all have some of them, a hundredth others, one its own."""
    files = " ".join(f"src/part{(number * 7 + each) % 997}/file{each}.py" for each in range(40))
    asked = f"please read {files} and mend fault{number}, of team{number % 100}"
    request = f'{{"model":"m","input":"{asked}"}}'
    return TurnBodies(row.id, request.encode(), b"{}")


def _filters() -> Mapping[str, TurnFilter]:
    """Return filters of each kind: by what is common, by what is rare, by what is not there."""
    middle = END - 15 * DAY
    return {
        "no filter": ANY_TURN,
        "project": TurnFilter(("prj_1",)),
        "project, none": TurnFilter(("prj_x",)),
        "5 projects": TurnFilter(tuple(f"prj_{number}" for number in (2, 5, 9, 14, 99))),
        "key, common": TurnFilter(key_id="key_1"),
        "key, rare": TurnFilter(key_id="key_177"),
        "key, none": TurnFilter(key_id="key_x"),
        "session": TurnFilter(session="00000001-0000000a"),
        "session, none": TurnFilter(session="x"),
        "channel": TurnFilter(channel_id="ch_3"),
        "channel, none": TurnFilter(channel_id="ch_x"),
        "model, common": TurnFilter(model="gpt-5.2"),
        "model, rare": TurnFilter(model="gpt-4o"),
        "outcome, common": TurnFilter(outcome="completed"),
        "outcome, rare": TurnFilter(outcome="internal_error"),
        "outcome, none": TurnFilter(outcome="cancelled"),
        "continuity, common": TurnFilter(continuity="continued"),
        "continuity, rare": TurnFilter(continuity="as-given"),
        "reason, common": TurnFilter(reason="history_rewritten"),
        "reason, rare": TurnFilter(reason="warm_up"),
        "reason, none": TurnFilter(reason="replayed"),
        "reason and key": TurnFilter(key_id="key_177", reason="history_rewritten"),
        "request id": TurnFilter(request_id=f"req_{12_345:032x}"),
        "response id": TurnFilter(response_id=f"resp_{12_345:032x}"),
        "trace": TurnFilter(trace=f"{25:032x}"),
        "trace, none": TurnFilter(trace="x"),
        "error, common": TurnFilter(error_code="server_error"),
        "error, rare": TurnFilter(error_code="upstream_timeout"),
        "days in the middle": TurnFilter(since=middle, until=middle + DAY),
        "project and outcome": TurnFilter(("prj_1",), outcome="internal_error"),
        "key and error": TurnFilter(key_id="key_1", error_code="upstream_timeout"),
    }


def _pages(turns: Turns) -> dict[str, Work]:
    """Return one way to ask by each filter, and one for what is far down."""
    far = str(earliest_id(END - 15 * DAY))
    pages: dict[str, Work] = {
        name: lambda each=each: turns.page(each)  # type: ignore[misc]
        for name, each in _filters().items()
    }
    return {**pages, "no filter, far down": lambda: turns.page(ANY_TURN, 50, far)}


def _finds(turns: Turns) -> dict[str, Work]:
    """Return finds of each kind: by whole ids, by beginnings that many or none have, by nothing."""
    texts = {
        "turn": str(earliest_id(END - 15 * DAY)),
        "request id": f"req_{12_345:032x}",
        "response id as a message": f"msg_{12_345:032x}",
        "session": "00000001-0000000a",
        "trace": f"{25:032x}",
        "a beginning of all": "req_00000000",
        "a beginning of few": f"resp_{12_345:032x}"[:-1],
        "a beginning of none": "nothing-begins-so",
        "an error that quotes one": f'{{"error":{{}},"request_id":"req_{12_345:032x}"}}',
    }
    return {name: lambda each=each: turns.find(each) for name, each in texts.items()}  # type: ignore[misc]


def _charts(usage: Usage) -> dict[str, Work]:
    """Return the charts of 30 days."""
    span = (BEGIN, END)
    return {
        "by channel": lambda: usage.series("channel", *span),
        "by model": lambda: usage.series("model", *span),
        "by key": lambda: usage.series("key", *span),
        "by channel, one project": lambda: usage.series("channel", *span, "d", Where(("prj_1",))),
        "by reason": lambda: usage.series("reason", *span),
        "by key, one reason": lambda: usage.series(
            "key", *span, "d", Where(reason="history_rewritten")
        ),
        "share continued": lambda: usage.share_continued(*span, span="d"),
        "totals": lambda: usage.totals(*span),
        "2 days by the hour": lambda: usage.series("channel", END - 2 * DAY, END, "h"),
    }


def _latencies(latencies: Latencies) -> dict[str, Work]:
    """Return the latency of 30 days, and of those before."""
    period = Period(BEGIN, END)
    week = Period(END - 7 * DAY, END, "h")
    return {
        "by channel": lambda: latencies.lines("channel", period),
        "by model": lambda: latencies.lines("model", period),
        "by channel, one project": lambda: latencies.lines("channel", period, Among(("prj_1",))),
        "the days of the first event": lambda: latencies.series(
            "channel", Figure.FIRST_EVENT, period, EVERYTHING
        ),
        "the hours of a week": lambda: latencies.series("all", Figure.TOTAL, week),
        "the week before": lambda: latencies.lines("channel", week.before),
    }


def _runs(runs: Runs) -> dict[str, Work]:
    """Return lists of sessions and traces."""
    return {
        "sessions": lambda: runs.page("session"),
        "traces": lambda: runs.page("trace"),
        "sessions of a key": lambda: runs.page("session", RunFilter(key_id="key_177")),
        "sessions with a model": lambda: runs.page("session", RunFilter(model="gpt-5.2")),
        "sessions with no such model": lambda: runs.page("session", RunFilter(model="gpt-x")),
    }


def _timelines(runs: Runs, turns: Turns) -> dict[str, Work]:
    """Return the turns of a trace, from its name to its rows."""

    async def timeline() -> object:
        return await turns.of_run(await runs.get("trace", f"{25:032x}"), OF_A_RUN)

    return {"a trace": timeline}


def _searches(search: BodySearch) -> dict[str, Work]:
    """Return searches for words of one body, of some, of all, and of none."""
    texts = {
        "a word of one": "fault5000",
        "a word of some": "team17",
        "a word of all": "please",
        "a phrase of all": '"please read src"',
        "words of all, none together": "fault5000 team17",
        "no such word": "nowhere",
    }
    found: dict[str, Work] = {
        name: lambda each=each: search.page(each, ANY_TURN)  # type: ignore[misc]
        for name, each in texts.items()
    }
    rare = TurnFilter(key_id="key_177")
    return {**found, "a word of all, of a key": lambda: search.page("please", rare)}
