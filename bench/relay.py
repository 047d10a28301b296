"""What a turn and an event cost Longwire, beside nginx, LiteLLM, the floor and no gateway at all.

All stand before the same upstream and serve the same load in turns, round by round. A row's ratio
is Longwire's figure as a multiple of the row's.
"""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

from bench.clients import Outcome, perform
from bench.figures import Row, Spread, ratio
from bench.modes import (
    COSTS,
    DELAY_TARGETS,
    DELAYS,
    FIRSTS,
    PER_EVENT,
    RATES,
    Mode,
)
from bench.references import DIRECT, LITELLM, LONGWIRE, NGINX, Stage, staged

Outcomes = Mapping[str, Sequence[Outcome]]
Rows = Iterator[Row]
_SPLITTING = (NGINX, LITELLM)
"""They cut a stream anywhere, so that not every event is seen in it whole, or leave some out."""


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """CPU, rate and latency of turns and events, beside nginx, LiteLLM and the floor."""
    rounds = 2 if quick else 5
    with staged(with_litellm=not quick) as stage:
        tables: tuple[tuple[Sequence[Mode], Callable[[Mode, Outcomes], Rows]], ...] = (
            (COSTS, _costs),
            (RATES, _rates),
            (FIRSTS, _firsts),
            ((DELAYS,), _delays),
        )
        rows = [
            row
            for modes, tell in tables
            for mode in modes
            for row in tell(mode, _measured(stage, mode, rounds, quick=quick))
        ]
    for name, why in stage.missing.items():
        print(f"missing: {name}: {why}", flush=True)
    return rows


def _measured(stage: Stage, mode: Mode, rounds: int, *, quick: bool) -> Outcomes:
    """Give every server the same load, in turns."""
    mode = mode.shortened() if quick else mode
    names = [name for name in mode.names if name in stage.servers]
    taken: dict[str, list[Outcome]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            taken[name].append(_one(stage, mode, name))
    _expect_continued(mode, taken[LONGWIRE])
    return taken


def _one(stage: Stage, mode: Mode, name: str) -> Outcome:
    server = stage.servers[name]
    measured = (server, *stage.upstreams.values())
    return perform(mode.job_for(name), server, measured, is_exact=name not in _SPLITTING)


def _expect_continued(mode: Mode, outcomes: Sequence[Outcome]) -> None:
    """All turns of a conversation but its first are continued, or the figures mean nothing."""
    job = mode.job
    for outcome in outcomes:
        turns = outcome.tally.turns
        firsts = 0 if job.opened else turns // job.turns
        if outcome.tally.continued != turns - firsts:
            raise RuntimeError(f"{mode.about}: {outcome.tally.continued} of {turns} continued")


def _compared(mode: Mode, taken: Mapping[str, Sequence[float]], about: str) -> Rows:
    """Tell Longwire's figure, and each reference's with the ratio of the two."""
    yield Row(f"{about}: {LONGWIRE}", Spread.of(taken[LONGWIRE]), mode.unit)
    for name, figures in taken.items():
        if name != LONGWIRE:
            compared = ratio(taken[LONGWIRE], figures)
            target = mode.targets.get(name)
            yield Row(f"{about}: {name}", Spread.of(figures), mode.unit, compared, target)


def _costs(mode: Mode, outcomes: Outcomes) -> Rows:
    """CPU time of the process tree."""

    def cost(outcome: Outcome) -> float:
        events = mode.job.all_events // mode.job.all_turns if mode.unit == PER_EVENT else 1
        return outcome.spent[0] / (outcome.tally.turns * events) * 1e6

    taken = {name: [cost(each) for each in found] for name, found in outcomes.items()}
    yield from _compared(mode, taken, f"CPU, {mode.about}")
    yield from _busy(mode, outcomes[LONGWIRE])


def _busy(mode: Mode, outcomes: Sequence[Outcome]) -> Rows:
    """Tell how busy upstream and load were: near 100 % of a core they would be the bottleneck."""
    upstream = [100 * sum(each.spent[1:]) / each.tally.seconds for each in outcomes]
    load = [100 * each.tally.cpu / each.tally.seconds for each in outcomes]
    for name, shares in {"upstream": upstream, "load": load}.items():
        yield Row(f"CPU, {mode.about}: {name} busy", Spread.of(shares), "% of a core")


def _rates(mode: Mode, outcomes: Outcomes) -> Rows:
    """Time on the clock per turn: its inverse is the rate."""
    taken = {
        name: [each.tally.seconds / each.tally.turns * 1e6 for each in found]
        for name, found in outcomes.items()
    }
    yield from _compared(mode, taken, f"time, {mode.about}")


def _firsts(mode: Mode, outcomes: Outcomes) -> Rows:
    """Time until the first event, and what gateways add to it."""
    taken = {
        name: [statistics.median(each.tally.firsts) * 1e6 for each in found]
        for name, found in outcomes.items()
    }
    about = f"{mode.about}, p50"
    if not mode.targets:
        yield from _compared(mode, taken, about)
        return
    direct = taken.pop(DIRECT)
    yield Row(f"{about}: {DIRECT}", Spread.of(direct), mode.unit)
    added = {name: _difference(found, direct) for name, found in taken.items()}
    yield from _compared(mode, added, f"{about}, added")


def _delays(mode: Mode, outcomes: Outcomes) -> Rows:
    """What gateways add to the way of a paced event."""
    for name, share in {"p50": 0.5, "p99": 0.99}.items():
        taken = {
            server: [_quantile(each.tally.delays, share) * 1e6 for each in found]
            for server, found in outcomes.items()
        }
        direct = taken.pop(DIRECT)
        about = f"{mode.about}, {name}"
        yield Row(f"{about}: {DIRECT}", Spread.of(direct), mode.unit)
        for server, found in taken.items():
            target = DELAY_TARGETS[name] if server == LONGWIRE else None
            added = Spread.of(_difference(found, direct))
            yield Row(f"{about}, added: {server}", added, mode.unit, target=target)


def _difference(figures: Sequence[float], direct: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(figures, direct, strict=True)]


def _quantile(values: Sequence[float], share: float) -> float:
    known = sorted(values)
    return known[min(len(known) - 1, int(len(known) * share))]
