"""How long until Longwire can serve, and until its command line answers; bytecode is warm."""

import http.client
import subprocess
import tempfile
import time
from pathlib import Path

from bench.figures import Row, Spread, in_turns
from bench.processes import ROOT, command, configuration, serving

_READY, _HELP = 1.0, 0.4


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """Time on the clock from the start to /ready, and of `longwire --help`."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "longwire.toml"
        text = configuration("http://127.0.0.1:9").replace("{folder}", folder)
        config.write_text(text, encoding="utf-8")
        _until_ready(config)  # makes the database, and the bytecode where there is none
        measures = {"ready": lambda: _until_ready(config), "help": _until_help}
        taken = in_turns(measures, 3 if quick else 9)
    return [
        Row("start to /ready", Spread.of(taken["ready"]), "s", target=_READY),
        Row("longwire --help", Spread.of(taken["help"]), "s", target=_HELP),
    ]


def _until_ready(config: Path) -> float:
    began = time.monotonic()
    with serving("longwire", "serve", "--config", str(config)) as server:
        asked = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
        asked.request("GET", "/ready")
        if asked.getresponse().status != http.HTTPStatus.OK:
            raise RuntimeError("it announced itself before it was ready")
        return time.monotonic() - began


def _until_help() -> float:
    began = time.monotonic()
    subprocess.run(command("longwire", "--help"), cwd=ROOT, capture_output=True, check=True)
    return time.monotonic() - began
