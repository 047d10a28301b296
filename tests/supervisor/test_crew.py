"""Who is in the crew, by what is installed."""

import json
import re
import socket
from pathlib import Path

import pytest
import structlog.testing

from longwire.core.errors import ConfigurationError
from longwire.settings import Settings
from longwire.supervisor import crew
from longwire.supervisor.crew import assembled


@pytest.fixture
def crew_of(monkeypatch, tmp_path):
    """A function that assembles a crew where these programs are installed, and what it logged."""

    def assemble(haproxy="", valkey="", **tables):
        monkeypatch.setattr(crew, "haproxy_binary", lambda: haproxy)
        monkeypatch.setattr(crew, "valkey_binary", lambda: valkey)
        with structlog.testing.capture_logs() as logged, socket.create_server(("", 0)) as listener:
            found = assembled(Settings(**tables), 3, [listener], tmp_path, lambda: None)
            commands = [each._command() for each in found.workers]
            posts = [json.loads(command.words[-1]) for command in commands]
            for program, command in zip(found.workers, commands, strict=True):
                command.close()
                program._command.__self__._ready.close()
        (line,) = logged
        return found, posts, [dict(command.environ) for command in commands], line

    return assemble


def test_with_both_each_worker_has_a_socket_and_counts_with_the_others(crew_of):
    """And a name of its own."""
    found, posts, environs, line = crew_of("/haproxy", "/valkey", fleet={"node": "lw"})
    assert ["lw-0", "lw-1", "lw-2"] == [each["LONGWIRE_FLEET__NODE"] for each in environs]
    assert 3 == len({post["listeners"][0] for post in posts})
    assert {3} == {post["parts"] for post in posts}
    assert all(each["LONGWIRE_FLEET__URL"].startswith("unix:///") for each in environs)
    assert (["valkey"], ["haproxy"]) == (
        [p.name for p in found.share],
        [p.name for p in found.before],
    )
    assert ("info", False) == (line["log_level"], "note" in line)


def test_without_valkey_each_worker_admits_its_share(crew_of):
    """The log warns that it does."""
    found, posts, environs, line = crew_of("/haproxy")
    assert ([], {3}) == (found.share, {post["parts"] for post in posts})
    assert not any("LONGWIRE_FLEET__URL" in each for each in environs)
    assert ("warning", True) == (line["log_level"], "share of a limit" in line["note"])


def test_a_fleet_of_the_operators_own_is_used(crew_of):
    """No other Valkey is started."""
    found, posts, environs, line = crew_of("/haproxy", "/valkey", fleet={"url": "valkey://v"})
    assert ([], {3}) == (found.share, {post["parts"] for post in posts})
    assert {"valkey://v"} == {each["LONGWIRE_FLEET__URL"] for each in environs}
    assert "info" == line["log_level"]


def test_without_haproxy_all_share_the_sockets(crew_of):
    """The log says what that costs."""
    found, posts, _, line = crew_of(valkey="/valkey")
    assert ([], 1) == (found.before, len({post["listeners"][0] for post in posts}))
    assert "38 %" in line["note"]


@pytest.mark.parametrize("folder", [f"/srv/{'x' * 90}", "/srv/a b", "/srv/a\nb"])
def test_a_folder_that_no_socket_fits_in_is_refused(folder):
    """The error names the mend."""
    with pytest.raises(ConfigurationError, match=f"{re.escape(folder)}: .* TMPDIR"):
        assembled(Settings(), 2, [], Path(folder), lambda: None)
