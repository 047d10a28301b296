"""One job of the load generator in its own process, with the CPU that the others spent on it."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.processes import ROOT, Server, command
from bench.tally import Job, Tally


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job came to: its tally, and the seconds of CPU that each server spent on it."""

    tally: Tally
    spent: tuple[float, ...]


def perform(
    job: Job, target: Server, measured: Sequence[Server], *, is_exact: bool = True
) -> Outcome:
    """Do a job against `target`; warm-up turns are not measured.

    Raises `RuntimeError` where it breaks off, or brings other events than it should if `is_exact`.
    """
    with subprocess.Popen(
        command("bench.load", target.url, target.key, json.dumps(asdict(job))),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None  # noqa: S101 - for the types alone
        assert process.stdout is not None  # noqa: S101
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the load of {job.plan} did not become ready")
        before = [server.cpu() for server in measured]
        process.stdin.write("go\n")
        process.stdin.flush()
        told = process.stdout.readline()
        spent = tuple(server.cpu() - b for server, b in zip(measured, before, strict=True))
    if process.returncode or not told:
        raise RuntimeError(f"the load of {job.plan} broke off")
    tally = Tally(**json.loads(told))
    if is_exact and tally.events != job.all_events:
        raise RuntimeError(f"{job.name}: {tally.events} events, not {job.all_events}")
    return Outcome(tally, spent)
