"""The stage of the soak: a gateway before its upstream, what disturbs them, and the laws.

Law: every turn is checked where it ends, and whatever went wrong is told at once.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

import aiohttp

from bench.agents import Asked
from bench.asking import Hold, Told, ask
from bench.figures import Row, Spread
from bench.gateway import CAP, Serving, connections, key_of
from bench.quiet import Quiet
from bench.strikes import MARKER, UNAIMED, Strikes, Witness, may_show
from longwire.emulator import Emulator, Fault, digest

_FLAT = 1.05
_LONG = 2_000
_SETTLES = 5.0
_BUGS = ("internal_error", "longwire/")  # a trace that leads through the gateway's own modules
_UNDER_WAY = 11
"""After so many disturbances that waited until no turn was under way comes one that does not."""
_TOLD = 5
_SEALED_ELSEWHERE = "invalid_encrypted_content"
_LAWS = (
    "wrong contexts",
    "leaks",
    _SEALED_ELSEWHERE,
    "answers not well formed",
    "errors without need",
    "not continued",
    "requests no correct client sends",
    "failures of the gateway's own",
    "connections over the cap",
    "leased at the end",
)


class Stage:
    """Sends turns, disturbs the upstream now and then, and keeps the count of broken laws."""

    def __init__(self, emulator: Emulator, longwire: Serving, turns: int) -> None:
        self.numbers = itertools.count(1)
        self.broken: Counter[str] = Counter(dict.fromkeys(_LAWS, 0))
        self.counts: Counter[str] = Counter()
        self._losses = 0
        self._emulator = emulator
        self._longwire = longwire
        self._turns = turns
        self._cap = CAP * len(longwire.origins)
        self._witness = Witness(emulator)
        self._strikes = Strikes()
        emulator.faults = emulator.world.faults = self._strikes  # type: ignore[assignment]
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._quiet = Quiet()
        self._sent = 0
        self._disturbances = 0
        self._disturbing = 0
        self._resident: list[int] = []
        self._began = time.monotonic()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def send(self, asked: Asked, hold: Hold, fault: Fault | None) -> Told:
        """Send a turn, with the fault that is to strike it, and check what came of it."""
        await self._disturb()
        if fault is not None and fault.at in UNAIMED:
            async with self._quiet.alone():
                if fault.at == "handshake" and asked.number % 8 == 0:
                    self._drop()
                told = await self._ask(asked, hold, fault)
        else:
            async with self._quiet.together():
                told = await self._ask(asked, hold, fault)
        self._check(told, fault)
        return told

    async def _ask(self, asked: Asked, hold: Hold, fault: Fault | None) -> Told:
        if fault is not None:
            self._strikes.aim(asked.number, fault)
        before, is_within = self._disturbances, self._disturbing > 0
        url = f"{self._longwire.url}/v1/responses"
        told = await ask(self._client, url, key_of(asked.key), asked, hold)
        told.was_disturbed = is_within or before != self._disturbances
        told.losses = self._losses
        self._strikes.forget(asked.number)
        return told

    def expect(self, law: str, is_kept: bool, what: object) -> None:  # noqa: FBT001 - the law
        """Count a broken law, and tell the first few of each."""
        if is_kept:
            return
        self.broken[law] += 1
        if self.broken[law] <= _TOLD:
            print(f"broken: {law}: {what}", flush=True)

    def _check(self, told: Told, fault: Fault | None) -> None:
        """Hold one turn against the laws."""
        asked = told.asked
        records = self._witness.records.pop(asked.number, [])
        struck = self._strikes.struck.pop(asked.number, None)
        about = f"turn {asked.number} of {asked.ways.model}, {told.way or told.status}, {struck}"
        self.counts["struck"] += struck is not None
        self.counts[_outcome(told)] += 1
        is_readable = _SEALED_ELSEWHERE not in told.text
        self.expect(_SEALED_ELSEWHERE, is_readable, f"{about}: {told.text[-500:]}")
        foreign = set(MARKER.findall(told.text)) - {asked.marker}
        self.expect("leaks", not foreign, f"{about}: the answer says {foreign}")
        for leak in self._witness.leaks:
            self.expect("leaks", is_kept=False, what=leak)
        self._witness.leaks.clear()
        if told.is_answered:
            shown = {record.response_id: record.digest for record in records}
            meant = digest(asked.history, asked.known)
            is_right = shown.get(told.response["id"]) == meant
            self.expect("wrong contexts", is_right, about)
        elif not told.has_left:
            is_whole = not told.broken or (told.was_disturbed and self._longwire.may_die)
            self.expect("answers not well formed", is_whole, f"{about}: {told.broken}")
            is_due = told.was_disturbed or self._is_due(told, struck)
            self.expect("errors without need", is_due, f"{about}, {fault}: {told.text[-500:]}")

    def _is_due(self, told: Told, struck: Fault | None) -> bool:
        """Whether an error had to be: a fault that cannot be hidden, or a forgotten response."""
        asked = told.asked
        # One of two accounts may be asked for what the other one stores.
        is_elsewhere = not asked.ways.members["store"] or asked.ways.model == "gpt-5-mini"
        if asked.previous and is_elsewhere:
            return "previous_response_not_found" in told.text or struck is not None
        has_http = asked.ways.model != "gpt-5.5"
        refers = asked.previous is not None
        return struck is not None and may_show(struck, has_http=has_http, refers=refers)

    async def _disturb(self) -> None:
        """Every so often restart the upstream or cut its connections; look at the gateway."""
        self._sent += 1
        heard = self._emulator.counters.sockets_open - self._strikes.deaf
        self.expect("connections over the cap", heard <= self._cap, f"{heard} at the upstream")
        if self._sent % 25 == 0:
            self._resident.append(self._longwire.resident())
        if self._sent % 200 == 0:
            await self._look()
        if self._sent % max(90, self._turns // 48):
            return
        kind = self.counts["disturbed"] % (_UNDER_WAY + 1)
        self.counts["disturbed"] += 1
        if kind == _UNDER_WAY:
            await self._break_in(restarts=self.counts["disturbed"] > _UNDER_WAY + 1)
            return
        async with self._quiet.alone():
            await self._break_in(restarts=kind % 2 == 1)

    async def _break_in(self, *, restarts: bool) -> None:
        """Restart the upstream, or cut its connections; turns under way are disturbed then."""
        async with self.disturbance():
            if restarts:
                self._losses += 1
                self._strikes.deaf = 0
                await self._emulator.stop()
                await self._emulator.start()
            else:
                self._drop()
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def disturbance(self) -> AsyncIterator[None]:
        """Do what turns under way may notice."""
        self._disturbances += 1
        self._disturbing += 1
        yield
        self._disturbing -= 1

    def _drop(self) -> None:
        self._losses += 1
        self._strikes.deaf = 0
        self._emulator.drop_connections()

    async def _look(self) -> None:
        """Read the gateway's own count of its connections, and tell how far we are."""
        sent, live = self._sent, await self._connections()
        self.expect("connections over the cap", sum(live.values()) <= self._cap, live)
        seconds = time.monotonic() - self._began
        states = " ".join(f"{name}={count}" for name, count in sorted(live.items()))
        if sent % 1_000 == 0:
            print(
                f"{sent} turns, {seconds:.0f} s: {states};"
                f" {self._resident[-1] / 1e6:.1f} MB; {sum(self.broken.values())} broken",
                flush=True,
            )

    async def _connections(self) -> Counter[str]:
        """Add up what the gateways say that are there."""
        live: Counter[str] = Counter()
        for origin in self._longwire.origins:
            with suppress(aiohttp.ClientConnectionError):
                async with self._client.get(f"{origin}/metrics") as answer:
                    live += connections(await answer.text())
        return live

    async def ended(self) -> list[Row]:
        """Check what must be so at the end, and return the table."""
        until = time.monotonic() + _SETTLES
        live = await self._connections()
        while live["leased"] + live["dialing"] and time.monotonic() < until:
            await asyncio.sleep(0.1)
            live = await self._connections()
        self.broken["leased at the end"] += live["leased"] + live["dialing"]
        for violation in self._emulator.violations:
            is_search = self._longwire.may_die and "encrypted content" in violation
            self.counts["reasoning offered to another account first"] += is_search
            self.expect("requests no correct client sends", is_search, what=violation[:300])
        for line in self._longwire.told().splitlines():
            is_fine = not any(word in line for word in _BUGS)
            self.expect("failures of the gateway's own", is_fine, line[-1_500:])
        return self._rows()

    def _rows(self) -> list[Row]:
        rows = [Row(name, _one(number), "turns") for name, number in sorted(self.counts.items())]
        rows += [Row(law, _one(number), "", target=0) for law, number in self.broken.items()]
        return rows if self._longwire.may_die else [*rows, self._memory()]

    def _memory(self) -> Row:
        """Compare the last quarter with the second; a short run is still warming up."""
        size = len(self._resident) // 4
        second, last = self._resident[size : 2 * size], self._resident[-size:]
        megabytes = Spread.of(number / 1e6 for number in last)
        target = _FLAT if self._turns >= _LONG else None
        grown = Spread.of([sum(last) / sum(second)])
        return Row("resident, last quarter against second", megabytes, "MB", grown, target)


def _one(number: int) -> Spread:
    return Spread.of([number])


def _outcome(told: Told) -> str:
    if told.has_left:
        return "turns: hung up"
    return f"turns: {told.way}" if told.is_answered else "turns: failed"
