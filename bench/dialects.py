"""What translation costs: the same agents in Responses, Chat Completions and Messages.

All go through one Longwire to one upstream of the Responses API, and through LiteLLM, which
translates the same. A ratio of Longwire's is to its own Responses, one of LiteLLM's is Longwire's
figure in the same API as a multiple of it.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from bench.clients import Outcome, perform
from bench.figures import Row, Spread, ratio
from bench.modes import LARGE, PER_EVENT, PER_TURN, SMALL
from bench.processes import Server, gateway, serving
from bench.references import LITELLM, LONGWIRE, Missing, litellm
from bench.spoken import CHAT, MESSAGES, RESPONSES
from bench.tally import Job

_APIS = (RESPONSES, CHAT, MESSAGES)
_LITELLM_TARGET, _IDLE_TARGET = 1 / 15, 1.15
_KIB, _CLIENTS = 1024, 20
_AGENTS, _AT_ONCE = "say:23x1@5:", "say:23x8@0:"
_IDLE = Job("idle", "say:4x8@0:", _CLIENTS, 1, 1, 6_000, api=RESPONSES)


@dataclass(frozen=True, slots=True)
class _Mode:
    """A kind of load, and the most that a translated turn, or event, may cost of a plain one."""

    about: str
    job: Job
    unit: str
    target: float
    names: tuple[str, ...] = (LONGWIRE, LITELLM)

    def job_for(self, name: str, api: str, *, quick: bool) -> Job:
        """Return the job of one server in one API: of LiteLLM, which takes so long, one session."""
        job = replace(self.job, name=f"{self.job.name}-{_APIS.index(api)}", api=api)
        if name == LITELLM:
            return replace(job, sessions=1, talks=1)
        return replace(job, talks=1, sessions=max(4, job.sessions // 4)) if quick else job

    def cost(self, outcome: Outcome) -> float:
        """Return the µs of CPU of a turn, or of an event of the upstream's."""
        per_turn = outcome.spent[0] / outcome.tally.turns * 1e6
        events = self.job.all_events // self.job.all_turns
        return per_turn / events if self.unit == PER_EVENT else per_turn


_MODES = (
    _Mode("agents, 20 KB", Job("a20", _AGENTS, 30, 16, **SMALL), PER_TURN, 1.5),
    _Mode("agents, 157 KB", Job("a157", _AGENTS, 30, 16, **LARGE), PER_TURN, 1.7),
    _Mode("20 KB at once", Job("o20", _AT_ONCE, 8, 16, 4, **SMALL), PER_TURN, 1.5),
    _Mode("157 KB at once", Job("o157", _AT_ONCE, 8, 16, 4, **LARGE), PER_TURN, 1.7),
    _Mode(
        "157 KB of 320 items at once",
        Job("many", _AT_ONCE, 8, 160, **SMALL),
        PER_TURN,
        1.7,
        names=(LONGWIRE,),
    ),
    _Mode(
        "bursts of 8, 20 ms",
        Job("bursts", "say:400x8@20:", 40, 3, opened=True),
        PER_EVENT,
        1.3,
    ),
    _Mode(
        "paced, 30 ms",
        Job("paced", "say:180x1@30:", 100, 1, opened=True),
        PER_EVENT,
        1.3,
    ),
)


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """CPU of turns and events, and idle memory, in each API; LiteLLM beside."""
    rounds = 2 if quick else 5
    with ExitStack() as stack:
        sockets = stack.enter_context(serving("bench.upstream", "ws"))
        servers = {LONGWIRE: stack.enter_context(gateway(sockets.url))}
        if not quick:
            _add_litellm(stack, servers)
        rows = [
            row
            for mode in _MODES
            for row in _rows(mode, _measured(servers, mode, rounds, quick=quick))
        ]
        return [*rows, *_idle(sockets.url, 200 if quick else 2_000)]


def _add_litellm(stack: ExitStack, servers: dict[str, Server]) -> None:
    """Start LiteLLM, with a model for each plan, all of the Responses API; or say why not."""
    plain = stack.enter_context(serving("bench.upstream", "http"))
    models = {mode.job.plan: f"openai/responses/{mode.job.plan}" for mode in _MODES}
    try:
        servers[LITELLM] = stack.enter_context(litellm(plain.url, models))
    except (Missing, RuntimeError) as error:
        print(f"missing: {LITELLM}: {str(error)[-300:]}", flush=True)


Taken = Mapping[tuple[str, str], Sequence[float]]


def _measured(servers: Mapping[str, Server], mode: _Mode, rounds: int, *, quick: bool) -> Taken:
    """Give every server the same load in every API, in turns."""
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for name, api in itertools.product(filter(servers.get, mode.names), _APIS):
            server, job = servers[name], mode.job_for(name, api, quick=quick)
            outcome = perform(job, server, (server,), is_exact=False)
            if name == LONGWIRE:
                _expect_continued(job, outcome)
            taken.setdefault((name, api), []).append(mode.cost(outcome))
    return taken


def _expect_continued(job: Job, outcome: Outcome) -> None:
    """All turns but the first are continued in every API, or the figures mean nothing."""
    turns, continued = outcome.tally.turns, outcome.tally.continued
    firsts = 0 if job.opened else turns // job.turns
    if continued != turns - firsts:
        raise RuntimeError(f"{job.name}, {job.api}: {continued} of {turns} continued")


def _rows(mode: _Mode, taken: Taken) -> Iterator[Row]:
    plain = taken[LONGWIRE, RESPONSES]
    for (name, api), figures in taken.items():
        compared, target = None, None
        if name == LITELLM:
            compared, target = ratio(taken[LONGWIRE, api], figures), _LITELLM_TARGET
        elif api != RESPONSES:
            compared, target = ratio(figures, plain), mode.target
        what = f"CPU, {mode.about}, {api}: {name}"
        yield Row(what, Spread.of(figures), mode.unit, compared, target)


def _idle(upstream: str, sessions: int) -> Iterator[Row]:
    """Tell the resident memory of each session that waits, in a gateway of its own per API."""
    each = {api: _resident(upstream, api, sessions) for api in _APIS}
    for api, kib in each.items():
        compared, target = None, None
        if api != RESPONSES:
            compared, target = ratio([kib], [each[RESPONSES]]), _IDLE_TARGET
        what = f"resident, {sessions:,} idle sessions, {api}: each"
        yield Row(what, Spread.of([kib]), "KiB", compared, target)


def _resident(upstream: str, api: str, sessions: int) -> float:
    with gateway(upstream) as longwire:
        for number in (2 * _CLIENTS, sessions):
            before = longwire.resident()
            job = replace(_IDLE, name=f"idle-{number}", api=api, talks=number // _CLIENTS)
            perform(job, longwire, (), is_exact=False)
        return (longwire.resident() - before) / sessions / _KIB
