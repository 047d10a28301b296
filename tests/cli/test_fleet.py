"""`longwire fleet` prints for the gateways that it is named, or the one of the file."""

import pytest
from typer.testing import CliRunner

from tests.cli.conftest import COMMANDS


def run(*words):
    return CliRunner().invoke(COMMANDS, ["fleet", *words])


@pytest.mark.parametrize("name", ["haproxy", "envoy", "nginx"])
def test_times_and_headers_are_those_of_the_file(tmp_path, name):
    """A proxy waits longer than the gateway, and knows the operator's own session headers."""
    file = tmp_path / "longwire.toml"
    file.write_text(
        "[server]\nport = 8123\n"
        '[sessions]\nfirst_event_timeout = "20m"\nsession_headers = ["x-chat"]',
        encoding="utf-8",
    )
    text = run(name, "--config", str(file)).stdout
    assert all(word in text for word in ("8123", "1260s")), text
    assert ("x-chat" if name != "nginx" else "$http_x_chat") in text


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
@pytest.mark.parametrize(
    ("host", "address"),
    [("::1", "[::1]:8090"), ("::", "[::1]:8090"), ("0.0.0.0", "127.0.0.1:8090")],
)
def test_the_gateway_of_the_file_is_found(monkeypatch, name, host, address):
    """Where it listens, in brackets if it must be; on this machine, if it listens everywhere."""
    monkeypatch.setenv("LONGWIRE_SERVER__HOST", host)
    assert f" {address} " in run(name).stdout


def test_envoy_listens_at_addresses():
    """Without brackets; a name is refused with what to write."""
    assert 'address: "::1", port_value: 8443' in run("envoy", "--bind", "[::1]:8443").stdout
    found = run("envoy", "--bind", "localhost:81")
    assert (2, True) == (found.exit_code, "10.0.0.5:80" in found.output)


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("--node", "10.0.0.5:8090"), "NAME=HOST:PORT"),
        (("--node", "a b=10.0.0.5:8090"), "NAME=HOST:PORT"),
        (("--node", "a=10.0.0.5"), "HOST:PORT"),
        (("--node", "a=:8090"), "name its host"),
        (("--node", "a=h:70000"), "HOST:PORT"),
        (("--node", "a=h:1", "--node", "a=h:2"), "twice"),
        (("--node", "a=h:1", "--node", "b=h:1"), "another one has this address"),
        (("--bind", "nowhere"), "HOST:PORT"),
        (("--tls-cert", "a b.pem"), "letters"),
    ],
)
def test_what_cannot_be_read_is_a_usage_error(words, mend):
    """It names the mend."""
    result = run("haproxy", *words)
    assert (2, True) == (result.exit_code, mend in " ".join(result.output.split())), result.output
