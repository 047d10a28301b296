"""`longwire fleet`: what several gateways need before them, printed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from longwire.balancers.configuration import Node, Site
    from longwire.settings import Settings

Nodes = Annotated[
    list[str] | None,
    typer.Option(
        "--node",
        metavar="NAME=HOST:PORT",
        help="A gateway; one for each. Its name, in HAProxy its turn among them, is its place on "
        "the ring. Default: the one that the configuration file describes.",
    ),
]
Bind = Annotated[
    str | None,
    typer.Option(metavar="[HOST]:PORT", help="Where to listen. Default: :8080; with TLS :443."),
]
Certificate = Annotated[
    str, typer.Option("--tls-cert", metavar="FILE", help="PEM file of a certificate and its key.")
]
Config = Annotated[Path | None, typer.Option(help="The TOML file to read.", dir_okay=False)]

_ADDRESS: Final = re.compile(r"(?P<host>[\w.-]+|\[[\da-fA-F:.]+\]|):(?P<port>\d{1,5})", re.ASCII)
_LISTENS_AT: Final = re.compile(r"\*|[\d.]+|\[.+\]", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,63}")
_FILE: Final = re.compile(r"[\w./+-]*", re.ASCII)
_PORTS: Final = range(1, 65_536)


def build() -> typer.Typer:
    """The commands below `longwire fleet`."""
    commands = typer.Typer(
        help="Print a balancer's configuration: each session comes to one node.",
        no_args_is_help=True,
    )
    for name, title in (("haproxy", "HAProxy"), ("envoy", "Envoy"), ("nginx", "nginx")):
        commands.command(name, help=f"Print a configuration of {title}.")(_command(name))
    return commands


def _command(name: str) -> Callable[..., None]:
    """Return the command of one balancer."""

    def command(
        node: Nodes = None, bind: Bind = None, tls_cert: Certificate = "", config: Config = None
    ) -> None:
        from longwire.balancers.engines import ENGINES
        from longwire.settings import load

        site = _site(load(config), node or (), bind, _certificate(tls_cert))
        if name == "envoy" and not _LISTENS_AT.fullmatch(site.host):
            raise typer.BadParameter(f"--bind {bind!r}: Envoy listens at addresses, as 10.0.0.5:80")
        typer.echo(ENGINES[name].configured(site), nl=False)

    return command


def _site(settings: "Settings", nodes: Sequence[str], bind: str | None, certificate: str) -> "Site":
    from longwire.balancers.configuration import Node
    from longwire.balancers.site import site_of

    server = settings.server
    own = Node(settings.fleet.node or "longwire", _reached_at(server.host), server.port)
    host, port = _address("--bind", bind or (":443" if certificate else ":8080"))
    site = site_of(settings, _named(nodes) or (own,))
    return replace(site, host=host or "*", port=port, certificate=certificate)


def _reached_at(host: str) -> str:
    """Return where a gateway is found that listens there: on this machine, if on all addresses."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is compared
    return f"[{host}]" if ":" in host else host


def _named(texts: Sequence[str]) -> "Sequence[Node]":
    """Read the nodes. Raises for one that is no node, and for a name that two have."""
    from longwire.balancers.configuration import Node

    nodes: dict[str, Node] = {}
    for text in texts:
        name, equals, address = text.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise typer.BadParameter(
                f"--node {text!r}: write NAME=HOST:PORT, as lw-0=10.0.0.5:8090"
            )
        if name in nodes:
            raise typer.BadParameter(f"--node {name} is there twice; give each a name of its own")
        host, port = _address("--node", address)
        if not host:
            raise typer.BadParameter(f"--node {text!r}: name its host, as lw-0=10.0.0.5:8090")
        node = Node(name, host, port)
        if node.address in {each.address for each in nodes.values()}:
            raise typer.BadParameter(f"--node {text!r}: another one has this address")
        nodes[name] = node
    return tuple(nodes.values())


def _address(option: str, text: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(text)
    if not found or int(found["port"]) not in _PORTS:
        raise typer.BadParameter(f"{option} {text!r}: write HOST:PORT, as 10.0.0.5:8090")
    return found["host"], int(found["port"])


def _certificate(path: str) -> str:
    if not _FILE.fullmatch(path):
        raise typer.BadParameter(
            f"--tls-cert {path!r}: write letters, digits, '.', '-', '_', '+' and '/'"
        )
    return path
