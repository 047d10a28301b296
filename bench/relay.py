"""What relaying costs the gateway, against the same relay written without one (`bench/floor.py`).

Both stand before the same upstream and serve the same load; their rounds alternate.
"""

from dataclasses import dataclass, replace

from bench.clients import Outcome, perform
from bench.figures import Row, Spread, in_turns, ratio
from bench.load import Job
from bench.processes import Server, gateway, serving

TARGET = 2.0


@dataclass(frozen=True, slots=True)
class Mode:
    """A kind of load: figures count per event or, where turns are short, per turn."""

    about: str
    job: Job
    unit: str = "µs/event"
    target: float | None = TARGET


MODES = (
    Mode("paced: 50 sessions, 1 event each 10 ms", Job("paced", "200x1@10", 50, 2)),
    Mode("bursts: 40 sessions, 8 events each 20 ms", Job("bursts", "400x8@20", 40, 3)),
    Mode("fire: 8 sessions, as fast as possible", Job("fire", "2000x64@0", 8, 16)),
    Mode("turns of 28 events, 20 KB", Job("turns", "23x8@0", 8, 40, 20_000), "µs/turn", None),
    Mode("turns of 28 events, 157 KB", Job("large", "23x8@0", 8, 20, 157_000), "µs/turn", None),
)


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """CPU per relayed event, as a multiple of a bare relay on the same libraries."""
    with (
        serving("bench.upstream") as upstream,
        serving("bench.floor", upstream.url) as floor,
        gateway(upstream.url) as longwire,
    ):
        ring = Ring(upstream, floor, longwire)
        return [
            row for mode in MODES for row in ring.rows(_shortened(mode) if quick else mode, quick)
        ]


def _shortened(mode: Mode) -> Mode:
    return replace(mode, job=replace(mode.job, turns=max(1, mode.job.turns // 4)))


@dataclass(frozen=True, slots=True)
class Ring:
    """The servers of one run."""

    upstream: Server
    floor: Server
    longwire: Server

    def rows(self, mode: Mode, quick: bool) -> list[Row]:  # noqa: FBT001
        """Measure one mode."""
        outcomes: list[tuple[Server, Outcome]] = []

        def measure(server: Server) -> float:
            outcome = perform(mode.job, server, (server, self.upstream))
            outcomes.append((server, outcome))
            return outcome.spent[0] / _count(mode, outcome) * 1e6

        taken = in_turns(
            {"floor": lambda: measure(self.floor), "gateway": lambda: measure(self.longwire)},
            2 if quick else 5,
        )
        own = [outcome for server, outcome in outcomes if server is self.longwire]
        _expect_continued(own)
        compared = ratio(taken["gateway"], taken["floor"])
        gateway_row = Row(
            f"{mode.about}: gateway", Spread.of(taken["gateway"]), mode.unit, compared, mode.target
        )
        return [
            Row(f"{mode.about}: floor", Spread.of(taken["floor"]), mode.unit),
            gateway_row,
            *_busy(mode, own),
        ]


def _count(mode: Mode, outcome: Outcome) -> int:
    return outcome.tally.events if mode.unit == "µs/event" else outcome.tally.turns


def _busy(mode: Mode, outcomes: list[Outcome]) -> list[Row]:
    """Tell how busy upstream and load were: near 100 % of a core they would be the bottleneck."""
    upstream = Spread.of(100 * o.spent[1] / o.tally.seconds for o in outcomes)
    load = Spread.of(100 * o.tally.cpu / o.tally.seconds for o in outcomes)
    shares = {"upstream": upstream, "load": load}
    return [
        Row(f"{mode.about}: {name} busy", share, "% of a core") for name, share in shares.items()
    ]


def _expect_continued(outcomes: list[Outcome]) -> None:
    """Every measured turn is a continuation, or the figures mean something else."""
    fresh = sum(outcome.tally.turns - outcome.tally.continued for outcome in outcomes)
    if fresh:
        raise RuntimeError(f"{fresh} turns were not continued")
