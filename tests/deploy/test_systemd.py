"""The units of systemd: it understands them, they leave turns the time to end, and allow little.

What is not tried: a start under systemd, which is not the first process on machines of tests.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from longwire.settings import Settings, load
from longwire.settings.quantities import parse_duration
from tests.deploy.image import ROOT

FOLDER = ROOT / "deploy" / "systemd"
UNITS = ("longwire.service", "longwire@.service")
MARGIN = 5
EXPOSED = 1.5
"""Of ten; most services of a distribution have nine."""
PATIENCE = 30


def lines(name):
    """The settings of a unit in order, as pairs."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return [tuple(line.split("=", 1)) for line in text.splitlines() if re.match(r"\w+=", line)]


def values(name, setting):
    """All that a unit says of one setting."""
    return [value for each, value in lines(name) if each == setting]


@pytest.fixture
def installed(tmp_path):
    """A folder with both units as they are started, and a program to start."""
    program = tmp_path / "longwire"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    for name in UNITS:
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert "/opt/longwire/bin/longwire" in text
        unit = tmp_path / name.replace("@", "@8090")
        unit.write_text(text.replace("/opt/longwire/bin/longwire", str(program)), encoding="utf-8")
    return tmp_path


def analyze(*words):
    """What `systemd-analyze` says, and how it ended."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze")
    return subprocess.run(
        [program, *words], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.process
def test_systemd_understands_the_units(installed):
    """It warns of nothing in them."""
    names = [str(installed / name.replace("@", "@8090")) for name in UNITS]
    verified = analyze("verify", "--man=no", *names)
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.process
@pytest.mark.parametrize("name", UNITS)
def test_the_units_allow_little(name, installed):
    """By systemd's own measure they are exposed by no more than serving takes."""
    unit = str(installed / name.replace("@", "@8090"))
    judged = analyze("security", "--offline=true", f"--threshold={int(EXPOSED * 10)}", unit)
    assert judged.returncode == 0, judged.stdout[-200:]


@pytest.mark.parametrize("name", UNITS)
def test_turns_end_before_they_are_cut(name):
    """It waits for lame duck, grace and a margin; SIGTERM comes to the main process alone."""
    server = Settings().server
    (wait,) = values(name, "TimeoutStopSec")
    assert server.lame_duck + server.shutdown_grace + MARGIN <= parse_duration(f"{wait}s")
    assert ["mixed"] == values(name, "KillMode")
    assert ["SIGTERM"] == values(name, "KillSignal")


@pytest.mark.parametrize("name", UNITS)
def test_a_gateway_understands_its_environment(name, tmp_path, monkeypatch):
    """Its database is in the state directory; one of several has its port, and a name by it."""
    monkeypatch.chdir(tmp_path)
    text = " ".join(values(name, "Environment")).replace("%i", "8091").replace("%l", "one")
    variables = dict(word.split("=", 1) for word in text.split())
    settings = load(None, {"HOME": str(tmp_path), **variables})
    (state,) = values(name, "StateDirectory")
    assert f"sqlite:////var/lib/{state}/longwire.db" == settings.database.url.get_secret_value()
    several = "@" in name
    assert ("one-8091" if several else "") == settings.fleet.node
    assert (8091 if several else 8090) == settings.server.port


def test_several_are_guarded_like_one():
    """The two units differ in what a port asks for, and in nothing else."""
    one, several = (set(lines(name)) for name in UNITS)
    assert {"Description", "Environment", "RuntimeDirectory"} == {name for name, _ in one ^ several}


def test_haproxy_comes_after_its_gateways():
    """The drop-in wants the gateways that it starts after, and says what it reads is printed by."""
    dropin = str(Path("haproxy.service.d") / "longwire.conf")
    assert values(dropin, "Wants") == values(dropin, "After")
    assert "longwire fleet haproxy" in (FOLDER / dropin).read_text(encoding="utf-8")
