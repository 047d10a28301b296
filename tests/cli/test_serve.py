"""`longwire serve` hands checked settings to what serves them, options first."""

import sys
from types import ModuleType

import pytest

from longwire.cli.serve import serve


@pytest.fixture
def served(monkeypatch, tmp_path):
    """What is to be served."""
    calls = []
    processes = ModuleType("longwire.processes")
    processes.serve = lambda settings, *, workers: calls.append((settings, workers))
    monkeypatch.setitem(sys.modules, "longwire.processes", processes)
    monkeypatch.chdir(tmp_path)
    return calls


def test_options_win(served, tmp_path, monkeypatch):
    """--host and --port win over the environment, which wins over the file."""
    file = tmp_path / "gateway.toml"
    file.write_text('[server]\nhost = "file"\nport = 1\nmax_body = "1B"\n', encoding="utf-8")
    monkeypatch.setenv("LONGWIRE_SERVER__PORT", "2")
    monkeypatch.setenv("LONGWIRE_SERVER__HOST", "variable")
    serve(file, host=None, port=3, workers=4)
    ((settings, workers),) = served
    server = settings.server
    assert (server.host, server.port, server.max_body, workers) == ("variable", 3, 1, 4)


def test_no_file_needed(served, monkeypatch):
    """Without options and without a file the defaults are served by one process."""
    monkeypatch.delenv("LONGWIRE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", "nowhere")
    serve()
    ((settings, workers),) = served
    assert (settings.server.port, workers) == (8090, 1)
