"""What it takes to follow a page as it stands: its commands, one shell, a home of the reader's own.

Law: a page is changed in places and secrets alone. Who reads it has no setting of ours.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.docs.test_readme import FENCE, ROOT

HOW_TO = ROOT / "docs" / "how-to"
OURS = ("LONGWIRE", "XDG_", "PYTHON", "VIRTUAL_ENV")
PATIENCE = 60


def section(name: str, title: str) -> str:
    """A section of a how-to, with those below it."""
    text = (HOW_TO / f"{name}.md").read_text(encoding="utf-8")
    outside = FENCE.sub(lambda block: block[0].replace("\n#", "\n\0"), text)
    marks, found = re.search(
        rf"^(#+) {re.escape(title)}\n(.*)", outside, re.MULTILINE | re.DOTALL
    ).groups()
    return re.split(rf"^#{{1,{len(marks)}}} ", found, flags=re.MULTILINE)[0].replace("\0", "#")


def commands(text: str, *places: tuple[str, str]) -> str:
    """All commands of a text for one shell that ends at the first that fails, at other places."""
    blocks = "".join(block for _, language, block in FENCE.findall(text) if language == "sh")
    for before, now in places:
        assert before in blocks, f"no {before!r} stands in {blocks}"
        blocks = blocks.replace(before, now)
    return f"set -euo pipefail\n{blocks}"


def reader(home: Path, **variables: str) -> dict[str, str]:
    """The environment of somebody who has `longwire` on PATH, and a home with nothing in it."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
    path = os.pathsep.join((str(Path(sys.executable).parent), inherited["PATH"]))
    return {**inherited, "PATH": path, "HOME": str(home), "NO_PROXY": "127.0.0.1", **variables}


def follow(script: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a script in a folder; return what it printed, which is shown where it fails."""
    ended = subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert 0 == ended.returncode, ended.stdout
    return ended.stdout


@contextmanager
def running(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], pattern: str
) -> Iterator[str]:
    """Have a program run until left; give the first group of what matches in what it printed."""
    log = folder / f"{Path(command[0]).name}-{command[1]}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=written, stderr=subprocess.STDOUT
        )
    try:
        yield _printed(process, log, pattern)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _printed(process: subprocess.Popen, log: Path, pattern: str) -> str:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        if found := re.search(pattern, log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))
