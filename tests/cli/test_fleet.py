"""`longwire fleet` prints for the gateways that it is named, or the one of the file."""

import pytest
from typer.testing import CliRunner

from longwire.cli import build


def run(*words):
    return CliRunner().invoke(build(), ["fleet", *words])


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


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("--node", "10.0.0.5:8090"), "NAME=HOST:PORT"),
        (("--node", "a b=10.0.0.5:8090"), "NAME=HOST:PORT"),
        (("--node", "a=10.0.0.5"), "HOST:PORT"),
        (("--node", "a=:8090"), "name its host"),
        (("--node", "a=h:70000"), "HOST:PORT"),
        (("--node", "a=h:1", "--node", "a=h:2"), "twice"),
        (("--bind", "nowhere"), "HOST:PORT"),
        (("--tls-cert", "a b.pem"), "letters"),
    ],
)
def test_what_cannot_be_read_is_a_usage_error(words, mend):
    """It names the mend."""
    result = run("haproxy", *words)
    assert (2, True) == (result.exit_code, mend in " ".join(result.output.split())), result.output
