"""Who installs Longwire as the page says has a gateway with its pages that serves turns."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx2
import pytest

import dev
from tests.docs.following import HOW_TO, commands, follow, reader, running, section
from tests.docs.test_readme import ROOT
from tests.doubles.reverse_proxies import free_port

SERVES = r"Longwire serves (\S+)"
pytestmark = [pytest.mark.clients, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The folder with the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build = [dev.find_uv(), "build", "--quiet", "--wheel", "--out-dir", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True)
    return folder


@pytest.fixture
def newcomer(tmp_path):
    """The environment of somebody who has Python and uv, and no Longwire."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "uv").symlink_to(dev.find_uv())
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    (programs / "python3").symlink_to(python)
    cache = os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
    places = {"PATH": f"{programs}:/usr/bin:/bin", "UV_CACHE_DIR": cache, "UV_PYTHON": str(python)}
    return reader(tmp_path, **places)


def ask(url, key="", body=None):
    """The answer of a gateway, which is none of an error."""
    headers = {"accept": "text/html"} | ({"authorization": f"Bearer {key}"} if key else {})
    method = "GET" if body is None else "POST"
    answer = httpx2.request(method, url, headers=headers, json=body, timeout=60)
    return answer.raise_for_status()


def assert_it_serves(program, folder, environment):
    """A gateway of this program has its pages, and turns go on at an upstream of it."""
    here = environment | {"LONGWIRE_SERVER__LAME_DUCK": "0s"}
    emulator = [program, "emulator", "--port", "0"]
    serve = [program, "serve", "--port", "0"]
    with running(emulator, folder, here, r"(http://127\.0\.0\.1:\d+)") as upstream:
        add = f"echo sk-any | {program} channels add main --api-key-stdin"
        add += f" --set base_url={upstream}/v1 --set transport=websocket"
        follow(add, folder, here)
        key = follow(f"{program} keys create me 2>/dev/null", folder, here).strip()
        with running(serve, folder, here, SERVES) as gateway:
            page = ask(f"{gateway}/").text
            (script,) = re.findall(r'<script[^>]* src="\.?/?(assets/[^"]+)"', page)
            assert "text/javascript" in ask(f"{gateway}/{script}").headers["content-type"]
            items = [{"role": "user", "content": "Hello"}]
            first = ask(f"{gateway}/v1/responses", key, {"model": "m", "input": items})
            assert "fresh" == first.headers["x-longwire-continuity"]
            items += [*first.json()["output"], {"role": "user", "content": "And more?"}]
            second = ask(f"{gateway}/v1/responses", key, {"model": "m", "input": items})
            assert "continued" == second.headers["x-longwire-continuity"]


def test_pip_installs_it_on_a_server(wheel, newcomer, tmp_path):
    """An empty environment, the wheel, and nothing else."""
    page = section("install", "On a server: pip")
    home = str(tmp_path / "opt" / "longwire")
    printed = follow(
        commands(page, ("/opt/longwire", home), ("dist/", f"{wheel}/")), tmp_path, newcomer
    )
    assert "longwire 0." in printed
    assert "none is enabled; add one: longwire channels add NAME" in printed
    assert_it_serves(f"{home}/bin/longwire", tmp_path, newcomer)


def test_uv_installs_it_for_oneself(wheel, newcomer, tmp_path):
    """An empty home, the wheel, and the command is where the page says."""
    page = section("install", "For yourself: uv or pipx")
    printed = follow(commands(page, ("dist/", f"{wheel}/")), tmp_path, newcomer)
    assert "longwire 0." in printed
    assert_it_serves(str(tmp_path / ".local" / "bin" / "longwire"), tmp_path, newcomer)


def test_root_asks_the_services_database(tmp_path):
    """The command of the page reads the variables and the database of the service."""
    (tmp_path / "etc" / "longwire").mkdir(parents=True)
    port = free_port()
    (tmp_path / "etc" / "longwire" / "longwire.env").write_text(
        f"LONGWIRE_SERVER__PORT={port}\nLONGWIRE_SERVER__LAME_DUCK=0s\n", encoding="utf-8"
    )
    service = {"XDG_DATA_HOME": str(tmp_path / "var"), "LONGWIRE_SERVER__PORT": str(port)}
    program = str(Path(sys.executable).parent / "longwire")
    key = f"{program} keys create of-the-service"
    follow(key, tmp_path, reader(tmp_path, **service))
    script = commands(
        section("install", "As a service: systemd"),
        ("/usr/local/sbin/", f"{tmp_path}/"),
        ("/etc/", f"{tmp_path}/etc/"),
        ("/var/lib", f"{tmp_path}/var"),
        ("/opt/longwire/bin/longwire", program),
    )
    assert "of-the-service" in follow(script, tmp_path, reader(tmp_path))
    serve = [str(tmp_path / "longwire"), "serve"]
    with running(serve, tmp_path, reader(tmp_path), SERVES) as gateway:
        assert gateway.endswith(f":{port}")


def test_a_server_needs_no_browser(tmp_path):
    """Owner, channel and key are made where the gateway is, which then serves."""
    page = section("install", "Sign in for the first time")
    (tmp_path / "password.txt").write_text("correct horse battery\n", encoding="utf-8")
    (tmp_path / "openai.txt").write_text("sk-any\n", encoding="utf-8")
    environment = reader(tmp_path, LONGWIRE_SERVER__PORT=str(free_port()))
    follow(commands(page, ("longwire serve\n", "")), tmp_path, environment)
    key = (tmp_path / "laptop.key").read_text(encoding="utf-8").strip()
    with running(["longwire", "serve"], tmp_path, environment, SERVES) as gateway:
        assert "list" == ask(f"{gateway}/v1/models", key).json()["object"]


@pytest.mark.parametrize("line", ["listen *:443 ssl;", "server 127.0.0.1:8090 max_fails=0;"])
def test_the_balancer_of_the_page_is_printed(line, tmp_path):
    """The command writes the block of nginx for one gateway."""
    follow(commands(section("install", "HTTPS")), tmp_path, reader(tmp_path))
    assert line in (tmp_path / "nginx.conf").read_text(encoding="utf-8")


def test_every_extra_is_named():
    """The table has each extra of the wheel, and no other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"^\| `(\w+)` \|", section("install", "Extras"), re.MULTILINE)
    assert sorted(project["optional-dependencies"]) == sorted(named), HOW_TO / "install.md"
