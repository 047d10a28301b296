"""The real Gemini CLI, run as its users run it, with a home and a folder of its own.

Law: a run ends by itself, or is killed and fails its story.
"""

import json
import os
from pathlib import Path

from tests.conftest import KEY
from tests.journeys.clients.claude_code import Ran, ended

VERSION = "0.61.0"
MODEL = "gemini-2.5-pro"
SETTINGS = {
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
    "privacy": {"usageStatisticsEnabled": False},
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "telemetry": {"enabled": False},
}


class GeminiCli:
    """A user of Gemini CLI; sessions stay in its home between runs."""

    def __init__(self, command: tuple[str, ...], folder: Path, url: str) -> None:
        self.command = command
        self.url = url
        self.home = folder / "home"
        self.work = folder / "work"
        (self.home / ".gemini").mkdir(parents=True)
        self.work.mkdir()
        settings = self.home / ".gemini" / "settings.json"
        settings.write_text(json.dumps(SETTINGS), encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """All that it knows of this machine."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GEMINI_API_KEY": KEY,
            "GOOGLE_GEMINI_BASE_URL": self.url,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "NO_COLOR": "1",
        }

    async def run(self, prompt: str, *arguments: str) -> Ran:
        """Print the answer to a prompt, with whatever tools that takes."""
        flags = ("--model", MODEL, "--output-format", "json", "--yolo")
        command = (*self.command, *flags, *arguments, "--prompt", prompt)
        return await ended(command, self.work, self.environment())
