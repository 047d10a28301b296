"""A Dockerfile that is followed in a folder, for machines that cannot build images.

Law: each `COPY` and `RUN` of a stage is carried out as it stands, below a folder in place of the
container's root. All stages share it: what one takes from another has its path already.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "image" / "Dockerfile"
OURS = re.compile(r"(?<![\w./$}])/(?=(?:src|opt|var)\b)")
"""Where a path of the container begins: nothing else of it is named in the file."""
VARIABLE = re.compile(r"\$(\w+)")
OWN = re.compile("LONGWIRE_|PYTHON|VIRTUAL_ENV|XDG_")
"""What a container does not have of this process: it keeps how registries are reached."""
PATIENCE = 240

Step = tuple[str, str]
"""An instruction and what stands behind it."""


def stages(text: str) -> list[list[Step]]:
    """The steps of each stage of a Dockerfile, `FROM` first."""
    found: list[list[Step]] = []
    for step in _steps(text):
        if step[0] == "FROM":
            found.append([])
        found[-1].append(step)
    return found


def _steps(text: str) -> Iterator[Step]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    for line in filter(None, map(str.strip, whole.splitlines())):
        name, _, rest = line.partition(" ")
        yield name, rest.strip()


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Whether `.dockerignore` keeps a path of the checkout out: the last pattern that fits says."""
    parts = path.split("/")
    ancestors = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
    ignored = False
    for pattern in patterns:
        plain = pattern.removeprefix("!").removeprefix("**/")
        if any(fnmatch(name, plain) for name in (parts if "**/" in pattern else ancestors)):
            ignored = not pattern.startswith("!")
    return ignored


class Container:
    """A folder in place of a container; `environment` is what its steps and programs see."""

    def __init__(self, root: Path, python: Path) -> None:
        self.root = root
        inherited = {name: text for name, text in os.environ.items() if not OWN.match(name)}
        self.environment = inherited | {
            "PATH": os.pathsep.join([str(python / "bin"), "/usr/bin", "/bin"]),
            "UV_PYTHON": str(python / "bin" / "python"),
        }
        self._at = root

    def inside(self, text: str) -> str:
        """A text with its paths below `root` and its variables in place."""
        here = OURS.sub(f"{self.root}/", text)
        return VARIABLE.sub(lambda name: self.environment.get(name[1], name[0]), here)

    def follow(self, steps: list[Step]) -> None:
        """Carry steps out, one after the other; others than these change no file."""
        known = {
            "ARG": self._set,
            "ENV": self._set,
            "WORKDIR": self._enter,
            "COPY": self._copy,
            "RUN": self._run,
        }
        for name, rest in steps:
            if name in known:
                known[name](rest)

    def _set(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            self.environment[name] = self.inside(value)

    def _enter(self, rest: str) -> None:
        self._at = Path(self.inside(rest))
        self._at.mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        place = self._at / self.inside(target)
        if sources[0].startswith("--from="):
            assert Path(self.inside(sources[1])) == place.resolve(), f"COPY {rest}"
            assert place.exists(), f"COPY {rest}: no stage has made it"
            return
        for source in sources:
            _put(ROOT / source, place / source if target.endswith("/") else place)

    def _run(self, rest: str) -> None:
        ran = subprocess.run(
            ["/bin/sh", "-c", self.inside(rest)],
            cwd=self._at,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert ran.returncode == 0, f"{rest}\n{ran.stderr[-2000:]}"


def _put(source: Path, place: Path) -> None:
    if source.is_dir():
        built = shutil.ignore_patterns("__pycache__", "static")
        shutil.copytree(source, place, dirs_exist_ok=True, ignore=built)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)


def bare_python(folder: Path) -> Path:
    """Make a Python with nothing but pip, as a base image has it, and return its folder."""
    command = [sys.executable, "-m", "venv", str(folder)]
    subprocess.run(command, check=True, timeout=PATIENCE)
    return folder
