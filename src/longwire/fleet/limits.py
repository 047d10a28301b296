"""Limits of a whole fleet, counted in Valkey by its clock; alone with a share where it is away.

Law: the rules, their words and headers are those of `core/rules/limits`; what a script cannot admit
is judged by them again, from the state that the script answers with. Who enters waits for one
script; who leaves never waits, and whatever is posted counts once however often it is written.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain, count
from typing import Any, Final

from longwire.core.errors import FleetUnavailable, LimitReached
from longwire.core.rules.limits import NOTHING, Meter, Permit, Spent, Subject, Window
from longwire.dialects.responses.answer import limit_headers
from longwire.fleet.local import LocalLimits, refused
from longwire.fleet.nodes import Nodes
from longwire.fleet.valkey import Script, Valkey

_LIMITS: Final = Script("limits_window", "limits_enter", "limits_count", "limits_renew", "limits")
_SPENT: Final = Script("limits_spent")
_LASTS: Final = 60.0
_AT_ONCE: Final = 500
_ADMITTED: Final = 5
_STATE: Final = 4
_REQUEST: Final = ":request"
_CORRECTION: Final = ":correction"


class SharedLimits:
    """Limits of the fleet that `nodes` belong to; a lease `lasts` so many seconds unrenewed.

    What this node admits it counts along by itself, so that it can go on alone: it has its share
    of each rate then, by the nodes last known, and all that is left of a budget. What it admits
    alone is counted in Valkey afterwards, with the second it was at; in budgets by the sums of the
    database alone, where all nodes have counted it once.
    """

    def __init__(
        self,
        valkey: Valkey,
        nodes: Nodes,
        clock: Callable[[], float] = time.time,
        lasts: float = _LASTS,
    ) -> None:
        self._valkey = valkey
        self._nodes = nodes
        self._clock = clock
        self._lasts = lasts
        self._alone = LocalLimits(clock)
        self._is_alone = False
        self._ahead = 0.0  # Valkey's clock before this one
        self._numbers = count()
        self._leases: defaultdict[str, set[str]] = defaultdict(set)
        self._taken_over: dict[str, tuple[Subject, tuple[str, ...], tuple[Spent, ...]]] = {}

    async def enter(self, subject: Subject, expected: Spent = NOTHING) -> Permit:
        """Admit a turn. Raises `LimitReached`."""
        own, lasts = self._nodes.own, round(self._lasts * 1000)
        number = next(self._numbers)
        lease = f"{own.name}:{own.epoch}:{number}:{expected.tokens}:{expected.cost}"
        keys, limits = self._keys(subject), _limits_of(subject)
        if self._is_alone:
            self._come_back()
        try:
            state = await self._valkey.run(_LIMITS, keys, "enter", limits, lease, lasts)
        except FleetUnavailable:
            return await self._enter_alone(subject, expected, lease)
        except asyncio.CancelledError:
            self._count(subject, lease)
            raise
        now = self._note_clock(state)
        if len(state) == _ADMITTED:
            self._alone.meter(subject).begin(self._clock(), expected)
            headers = self._headers(subject, state, now)
            return self._held(Permit(subject, expected, headers, lease))
        if (refusal := refused(_meter_of(state, subject, now), subject, now)) is not None:
            raise refusal
        return await self._enter_alone(subject, expected, lease)

    def leave(self, permit: Permit, spent: Spent) -> None:
        """Count what a turn cost."""
        subject, leases = permit.subject, self._leases
        self._alone.leave(permit, spent)
        if not subject.counts_active:
            return
        leases[subject.id].discard(permit.lease)
        if not leases[subject.id]:
            del leases[subject.id]
        self._count(subject, permit.lease, spent if subject.counts_tokens else NOTHING)

    def correct(self, permit: Permit, by: Spent) -> None:
        """Count what an estimate was off by."""
        self._alone.correct(permit, by)
        if permit.subject.counts_tokens:
            self._count(permit.subject, permit.lease + _CORRECTION, by)

    async def waits(self, subjects: Collection[Subject]) -> Mapping[str, int]:
        """Return in how many seconds a turn could be admitted, by the ids of those that refuse."""
        async with asyncio.TaskGroup() as group:
            looks = {each.id: group.create_task(self._wait(each)) for each in subjects}
        return {name: seconds for name, look in looks.items() if (seconds := look.result())}

    async def _wait(self, subject: Subject) -> int:
        try:
            state = await self._valkey.run(
                _LIMITS, self._keys(subject), "enter", _limits_of(subject)
            )
        except FleetUnavailable:
            waits = await self._alone.waits([self._share(subject)])
            return waits.get(subject.id, 0)
        now = self._note_clock(state)
        refusal = _meter_of(state, subject, now).refusal(subject, now) if len(state) > 1 else None
        return refusal.retry_after if refusal else 0

    def spent(self, subject: Subject) -> Sequence[Spent]:
        """Return what each period of a subject cost, as this node knows by itself."""
        return self._alone.spent(subject)

    def set_spent(
        self, subject: Subject, now: float, *sums: Spent, before: Sequence[Spent] | None = None
    ) -> None:
        """Take over what each period of a subject had cost at a time, in all processes.

        With `before` it replaces what is shared; what was spent just now comes with the next sums.
        """
        self._alone.set_spent(subject, now, *sums, before=before)
        self._come_back()
        self._is_alone = self._valkey.is_away
        taken_over = (subject, subject.calendar.names(now), sums)
        if self._taken_over.get(subject.id) != taken_over or before is not None:
            self._taken_over[subject.id] = taken_over
            self._post_spent(subject, now, sums, replaces=before is not None)

    async def keep_leases(self) -> None:
        """Renew the leases of turns under way until cancelled."""
        while True:
            await asyncio.sleep(self._lasts / 3)
            self._renew()

    def _post_spent(
        self, subject: Subject, now: float, sums: Sequence[Spent], *, replaces: bool = False
    ) -> None:
        keys = [f"lw:{{{subject.id}}}:{each}" for each in subject.calendar.names(now)]
        spent = chain.from_iterable(sums)
        self._valkey.post_run(_SPENT, keys, *spent, int(replaces), is_kept=False)

    def _come_back(self) -> None:
        """Once Valkey is back, let it know what is under way here, and what is spent."""
        if self._is_alone and not self._valkey.is_away:
            self._is_alone = False
            self._renew()
            for subject, _, _ in self._taken_over.values():
                self._post_known(subject)

    def _post_known(self, subject: Subject) -> None:
        """Have taken over what this node knows of each period: no more than was spent."""
        meter, now = self._alone.meter(subject), self._now()
        meter.set_spent(now, *(NOTHING for _ in subject.calendar.periods))
        self._post_spent(subject, now, meter.sums)

    def _renew(self) -> None:
        if self._valkey.is_away:
            return
        lasts = round(self._lasts * 1000)
        for subject_id, held in self._leases.items():
            leases, keys = list(held), _keys(subject_id)
            for at in range(0, len(leases), _AT_ONCE):
                self._valkey.post_run(_LIMITS, keys, "renew", lasts, *leases[at : at + _AT_ONCE])

    async def _enter_alone(self, subject: Subject, expected: Spent, lease: str) -> Permit:
        """Admit a turn by this node's share. Raises `LimitReached`.

        Valkey may have run the script though its answer was lost: then the lease is its own.
        """
        self._is_alone = True
        try:
            permit = await self._alone.enter(self._share(subject), expected)
        except LimitReached:
            self._count(subject, lease)
            raise
        if subject.rates.requests_per_minute is not None:
            self._count(subject, lease + _REQUEST, requests=1)
        return self._held(permit._replace(subject=subject, lease=lease))

    def _held(self, permit: Permit) -> Permit:
        if permit.subject.counts_active:
            self._leases[permit.subject.id].add(permit.lease)
        return permit

    def _count(
        self, subject: Subject, name: str, spent: Spent = NOTHING, *, requests: int = 0
    ) -> None:
        """Have an amount counted under a name, once, and a lease of that name ended."""
        keys = self._keys(subject) if subject.counts_active else _keys(subject.id)
        self._valkey.post_run(_LIMITS, keys, "count", name, int(self._now()), requests, *spent)

    def _headers(self, subject: Subject, state: Sequence[Any], now: float) -> Mapping[str, str]:
        """Return what is left after an admission, and mend a budget that Valkey lost."""
        _, requests, tokens, last, is_unknown = state
        if is_unknown:
            self._post_known(subject)
        used = Meter(Window.of([(int(now), requests)]), Window.of([(last, tokens)]))
        return limit_headers(used, subject.rates, now)

    def _share(self, subject: Subject) -> Subject:
        return subject.share(self._nodes.count)

    def _keys(self, subject: Subject) -> Sequence[str]:
        """Return the keys of what counts for a subject: window, leases, and each period."""
        if not subject.counts_active:
            return _keys(subject.id)[:1]
        if not subject.has_budgets:
            return _keys(subject.id)
        return _keys(subject.id, *subject.calendar.names(self._now()))

    def _now(self) -> float:
        """Return what Valkey's clock shows, as far as it is known."""
        return self._clock() + self._ahead

    def _note_clock(self, state: Sequence[Any]) -> float:
        now: float = state[0] / 1000
        self._ahead = now - self._clock()
        return now


def _keys(subject_id: str, *periods: str) -> Sequence[str]:
    return [f"lw:{{{subject_id}}}:{each}" for each in ("w", "l", *periods)]


def _limits_of(subject: Subject) -> str:
    """Return the limits as the script reads them."""
    rates = subject.rates
    limits = (
        *(rates.requests_per_minute, rates.tokens_per_minute, rates.concurrent_turns),
        *(chain.from_iterable(subject.period_limits) if subject.has_budgets else ()),
    )
    return " ".join(["-" if each is None else str(each) for each in limits])


def _meter_of(state: Sequence[Any], subject: Subject, now: float) -> Meter:
    """Return what a refused turn met with, for the rules to judge."""
    periods = len(subject.calendar.periods) if subject.has_budgets else 0
    ends = _STATE + 2 * periods
    _, active, tokens, cost, *spent = state[:ends]
    sums: dict[bytes, list[tuple[int, int]]] = {b"r": [], b"t": []}
    for name, amount in zip(state[ends::2], state[ends + 1 :: 2], strict=True):
        if name[:1] in sums and name[1:].isdigit() and amount.isdigit():
            sums[name[:1]].append((int(name[1:]), int(amount)))
    windows = Window.of(sums[b"r"]), Window.of(sums[b"t"])
    meter = Meter(*windows, active, tokens, cost, subject.calendar)
    if periods:
        meter.set_spent(now, *map(Spent, spent[::2], spent[1::2]))
    return meter
