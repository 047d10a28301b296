"""What idle sessions cost: the memory of each, and the tail of the turns of those that are active.

Resident memory is that of the whole process, before and after sessions were opened. All share a
few connections of clients, so that what is counted are connections to the upstream.
"""

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.certificate import write_certificate
from bench.clients import Outcome, perform
from bench.figures import Row, Spread, ratio
from bench.processes import Server, gateway, serving
from bench.tally import Job

_KIB, _MIB = 1024, 1024 * 1024
_PLAIN, _TLS, _AFTER_LARGE = 40.0, 100.0, 2.0
_SOME, _MANY, _MANY_MIB = 2_000, 10_000, 450.0
_TAIL = 1.2
_CLIENTS = 20
_OPENING = Job("idle", "bench:4x8@0:", _CLIENTS, 1, 1, 4_000)
_LARGE = "bench:1x1@0*500000:"
_ACTIVE = 100
"""One session in so many is active."""


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """Memory per idle upstream session, and the tail of turns beside thousands of them."""
    some, steps = (200, (100, 1_000)) if quick else (_SOME, (1_000, _MANY))
    with tempfile.TemporaryDirectory() as folder, serving("bench.upstream", "ws") as upstream:
        certificate = write_certificate(Path(folder))
        with serving("bench.upstream", "ws", str(certificate)) as secured:
            over_tls = secured.url.replace("http:", "https:")
            return [
                *_memory("plain", _PLAIN, upstream.url, "", some),
                *_memory("TLS", _TLS, over_tls, str(certificate), some),
                *_tails(upstream.url, steps, 2 if quick else 5),
            ]


def _memory(kind: str, target: float, url: str, ca: str, sessions: int) -> Iterator[Row]:
    """Open sessions, then have each see a large event."""
    told = {"": target, ", after an event of 500 KB": target * _AFTER_LARGE}
    for about, bound in told.items():
        plan = _LARGE if about else _OPENING.plan
        with gateway(url, ca) as longwire:
            _open(longwire, _CLIENTS * 2, plan, "warm-up")
            before = longwire.resident()
            _open(longwire, sessions, plan, "idle")
            each = (longwire.resident() - before) / sessions / _KIB
        what = f"resident, {sessions:,} idle sessions, {kind}{about}: each"
        yield Row(what, Spread.of([each]), "KiB", target=bound)


def _open(longwire: Server, sessions: int, plan: str, name: str) -> None:
    """Take one turn of each of some new sessions."""
    perform(replace(_OPENING, name=name, plan=plan, talks=sessions // _CLIENTS), longwire, ())


def _tails(url: str, steps: tuple[int, ...], rounds: int) -> Iterator[Row]:
    """Compare active turns of a gateway with idle sessions with those of one without, in turns."""
    for sessions in steps:
        job = Job("active", "bench:23x1@5:", max(1, sessions // _ACTIVE), 8, 1, opened=True)
        with gateway(url) as full, gateway(url) as empty:
            _open(full, sessions, _OPENING.plan, "idle")
            taken: dict[str, list[Outcome]] = {"none": [], "many": []}
            for _ in range(rounds):
                taken["none"].append(perform(job, empty, ()))
                taken["many"].append(perform(job, full, ()))
            total = full.resident() / _MIB
        yield from _told(sessions, taken, total)


def _told(sessions: int, taken: dict[str, list[Outcome]], total: float) -> Iterator[Row]:
    without, beside = ([_p99(each) for each in taken[name]] for name in ("none", "many"))
    about = f"first event, p99, {max(1, sessions // _ACTIVE)} active"
    yield Row(f"{about}: without idle sessions", Spread.of(without), "ms")
    what = f"{about}: beside {sessions:,} idle sessions"
    yield Row(what, Spread.of(beside), "ms", ratio(beside, without), _TAIL)
    bound = _MANY_MIB if sessions == _MANY else None
    yield Row(
        f"resident, all with {sessions:,} idle sessions", Spread.of([total]), "MiB", target=bound
    )


def _p99(outcome: Outcome) -> float:
    return statistics.quantiles(outcome.tally.firsts, n=100)[98] * 1_000
