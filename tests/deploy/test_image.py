"""The container image: its steps, followed without a container, make a gateway that serves.

What is not tried: the stage that builds the web interface (`dev.py setup` runs its two commands),
and the user that the last stage makes.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest

from tests.deploy.image import DOCKERFILE, ROOT, Container, bare_python, is_ignored, stages
from tests.deploy.programs import checker
from tests.doubles.reverse_proxies import free_port

TEXT = DOCKERFILE.read_text(encoding="utf-8")
UI, BUILD, LAST = stages(TEXT)
PATIENCE = 60
READ_ONLY = """
mount --make-rprivate /
mount -o remount,bind,ro /
for folder in "$1/var/lib/longwire" "$1/tmp"; do mount -t tmpfs none "$folder"; done
shift
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all "$@"
"""
"""What an orchestrator does with the image's file system and its process."""

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]


def words(name):
    """What the last stage says behind an instruction, in exec form."""
    (text,) = [rest for each, rest in LAST if each == name]
    return json.loads(text[text.index("[") :])


@pytest.fixture(scope="module")
def container():
    """What is left of the image's stages when all are done: no sources, no compiler."""
    with tempfile.TemporaryDirectory(prefix="longwire-image-") as place:
        root = Path(place) / "root"
        pages = root / "src" / "src" / "longwire" / "server" / "static"
        pages.mkdir(parents=True)
        (pages / "index.html").write_text("<p>of the first stage", encoding="utf-8")
        built = Container(root, bare_python(Path(place) / "python"))
        built.follow(BUILD)
        shutil.rmtree(root / "src")
        final = Container(root, Path(place) / "python")
        final.follow([step for step in LAST if step[0] != "RUN"])  # it makes a user
        yield final


@pytest.fixture
def serving(container):
    """The image's command under way, as it is started, on a free port: its process."""
    container.environment["LONGWIRE_SERVER__PORT"] = str(free_port())
    process = run(container, words("ENTRYPOINT") + words("CMD"))
    try:
        wait_until(lambda: healthcheck(container) == 0 or process.poll() is not None)
        yield process
    finally:
        process.kill()
        process.communicate()


def run(container, command, *before):
    """Start a command in the container's environment, by what stands before it."""
    program = shutil.which(command[0], path=container.environment["PATH"])
    return subprocess.Popen(
        [*before, program, *map(container.inside, command[1:])],
        cwd=container.root / "var" / "lib" / "longwire",
        env=container.environment | {"LONGWIRE_SERVER__LAME_DUCK": "0s"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def healthcheck(container):
    """The exit code of the image's health check."""
    check = run(container, words("HEALTHCHECK"))
    check.communicate(timeout=PATIENCE)
    return check.returncode


def wait_until(is_so):
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def files(folder):
    """Each file below a folder, and when it was changed."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_the_command_is_there(container):
    """`longwire version` says the version that the sources have."""
    output, _ = run(container, [*words("ENTRYPOINT"), "version"]).communicate(timeout=PATIENCE)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert output.startswith(f"longwire {version} ")


def test_it_serves_and_ends(container, serving):
    """It is healthy, has its pages, and a SIGTERM ends it with 0; then it is healthy no more."""
    url = f"http://127.0.0.1:{container.environment['LONGWIRE_SERVER__PORT']}"
    with urllib.request.urlopen(f"{url}/") as page:  # noqa: S310 - our own address
        assert b"of the first stage" in page.read()
    (name,) = [rest for each, rest in LAST if each == "STOPSIGNAL"]
    serving.send_signal(signal.Signals[name])
    output, _ = serving.communicate(timeout=PATIENCE)
    assert serving.returncode == 0, output
    assert healthcheck(container) == 1


def test_it_writes_to_its_own_folder_alone(container, serving):
    """A file system that is read-only but for /var/lib/longwire and /tmp is enough."""
    before = files(container.root / "opt")
    serving.send_signal(signal.SIGTERM)
    serving.communicate(timeout=PATIENCE)
    assert before == files(container.root / "opt")
    kept = {path.name for path in (container.root / "var").rglob("*") if path.is_file()}
    assert {"longwire.db", "secret.key"} <= kept


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may mount")
def test_it_serves_from_a_read_only_file_system(container):
    """It serves with all else read-only, /tmp and /var/lib/longwire in memory, no capability."""
    container.environment["LONGWIRE_SERVER__PORT"] = str(free_port())
    container.environment["TMPDIR"] = str(container.root / "tmp")
    (container.root / "tmp").mkdir(exist_ok=True)
    before = ("unshare", "--mount", "/bin/sh", "-ec", READ_ONLY, "sh", str(container.root))
    process = run(container, words("ENTRYPOINT") + words("CMD"), *before)
    try:
        wait_until(lambda: healthcheck(container) == 0 or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, output
    assert "Longwire serves" in output
    assert [] == list((container.root / "tmp").iterdir())


def test_it_holds_what_a_fleet_needs_and_no_more(container):
    """Valkey's client is there; the tools of developers are not."""
    (packages,) = (container.root / "opt" / "longwire" / "lib").glob("python3*/site-packages")
    assert (packages / "redis").is_dir()
    assert (packages / "longwire" / "fleet").is_dir()
    assert [] == [name for name in ("pytest", "mypy", "playwright") if (packages / name).exists()]


def test_it_does_not_tell_when_it_was_built(container):
    """Equal sources make equal files: none notes down a time, or where the sources were."""
    notes = ("direct_url.json", "uv_cache.json")
    (record,) = (container.root / "opt").rglob("longwire-*.dist-info/RECORD")
    listed = record.read_text(encoding="utf-8")
    assert "longwire/__init__.py" in listed
    assert [] == [name for name in notes if name in listed]
    assert [] == [path for name in notes for path in record.parent.glob(name)]


def test_nobody_is_root():
    """The last stage ends as a user by number, which Kubernetes can check."""
    (user,) = [rest for name, rest in LAST if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    (made,) = [rest for name, rest in LAST if name == "RUN"]
    assert {f"--gid {user.split(':')[1]}", f"--uid {user.split(':')[0]}"} <= set(
        re.findall(r"--[ug]id \d+", made)
    )


def test_the_pages_are_built_by_the_commands_of_developers():
    """The first stage installs what the lock file says, and builds."""
    assert ["npm ci --no-audit --no-fund", "npm run build"] == [
        rest for name, rest in UI if name == "RUN"
    ]


def test_what_is_copied_is_sent_along():
    """`.dockerignore` lets through each file that a step copies, and no secret of a checkout."""
    patterns = [
        line
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    copied = [
        source
        for name, rest in (*UI, *BUILD, *LAST)
        if name == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
    assert len(copied) > 5
    assert [] == [path for path in copied if is_ignored(path, patterns)]
    secrets = (".env", "longwire.toml", "secret.key", "longwire.db", ".git/config")
    built = ("ui/node_modules/x", "src/longwire/server/static/x", "src/longwire/__pycache__")
    assert [] == [path for path in (*secrets, *built) if not is_ignored(path, patterns)]


def test_hadolint_finds_nothing():
    """The file follows the rules of Docker's linter."""
    ran = subprocess.run(
        [checker("hadolint"), "--failure-threshold", "style", str(DOCKERFILE)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "")
