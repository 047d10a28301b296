"""The clients that `longwire setup` knows: what each needs to be told, and where that stands.

The web interface shows the same texts. Codex, whose file is TOML, has a module of its own.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from longwire.cli import json_text, yaml_text
from longwire.cli.client_file import folder

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a client is to know: `url` is the root, without a version; `key` is as it is shown."""

    url: str
    model: str
    env_key: str
    key: str = "…"

    def with_key(self, key: str) -> "Gateway":
        """The same gateway with a key."""
        return replace(self, key=key)

    def filled(self, text: str) -> str:
        """Return a text with what stands in it in `<…>`."""
        for name in ("url", "model", "env_key", "key"):
            text = text.replace(f"<{name}>", getattr(self, name))
        return text


@dataclass(frozen=True, slots=True)
class Form:
    """How values stand in a file: `check` and `merge` raise `ValueError` where they cannot."""

    render: Callable[[Values], str]
    check: Callable[[str], object]
    merge: Callable[[str, Values], str]


@dataclass(frozen=True, slots=True)
class Place:
    """A file of a client: `name` is how people call it, `values` what is to stand in it.

    `only_new` stands in a new file besides. `holds_key`: the client reads the key from nowhere
    else.
    """

    name: str
    default: Callable[[], Path]
    form: Form
    values: Callable[[Gateway], Values]
    only_new: Values
    holds_key: bool = False

    def merge(self, gateway: Gateway) -> Callable[[str], str]:
        """Return what changes the text of a file."""
        values = self.values(gateway)

        def merged(text: str) -> str:
            return self.form.merge(text, values) if text.strip() else self.rendered(gateway)

        return merged

    def rendered(self, gateway: Gateway) -> str:
        """Return a new file."""
        return self.form.render({**self.only_new, **self.values(gateway)})


@dataclass(frozen=True, slots=True)
class Client:
    """A client: `before` and `after` its file stand steps, with `<…>` for what is of the gateway.

    Without a file, `no_file` says why. `next_step` is said once the file is written.
    """

    name: str
    title: str
    file: Place | None
    before: str = ""
    after: str = ""
    no_file: str = ""
    next_step: str = "Put the gateway's key into {env_key}."

    @property
    def help(self) -> str:
        """What its command does."""
        if self.file is None:
            return f"Print how to point {self.title} here."
        return f"Print or write what {self.title} needs.\n\nIts file is {self.file.name}."

    def printed(self, gateway: Gateway) -> str:
        """Return all that is to be done, as people do it."""
        file = f"# {self.file.name}\n{self.file.rendered(gateway)}" if self.file else ""
        parts = (gateway.filled(self.before), file, gateway.filled(self.after))
        return "\n".join(part for part in parts if part)


JSON = Form(json_text.rendered, json_text.check, json_text.merged)
YAML = Form(yaml_text.rendered, yaml_text.check, yaml_text.merged)
_KEY = "# the gateway's key\nexport <env_key>='<key>'\n"


def _opencode_file() -> Path:
    if named := os.environ.get("OPENCODE_CONFIG"):
        return Path(named)
    below = folder("XDG_CONFIG_HOME", ".config") / "opencode"
    with_comments = below / "opencode.jsonc"
    return with_comments if with_comments.exists() else below / "opencode.json"


def _claude_code(gateway: Gateway) -> Values:
    return {"env": {"ANTHROPIC_BASE_URL": gateway.url, "ANTHROPIC_AUTH_TOKEN": gateway.key}}


def _opencode(gateway: Gateway) -> Values:
    provider = {
        "npm": "@ai-sdk/openai",
        "name": "Longwire",
        "options": {"baseURL": f"{gateway.url}/v1", "apiKey": f"{{env:{gateway.env_key}}}"},
        "models": {gateway.model: {}},
    }
    return {"provider": {"longwire": provider}, "model": f"longwire/{gateway.model}"}


def _aider(gateway: Gateway) -> Values:
    return {"openai-api-base": f"{gateway.url}/v1", "model": f"openai/{gateway.model}"}


def _continue(gateway: Gateway) -> Values:
    entry = {
        "name": "Longwire",
        "provider": "openai",
        "model": gateway.model,
        "apiBase": f"{gateway.url}/v1",
        "apiKey": f"${{{{ secrets.{gateway.env_key} }}}}",
    }
    return {"models": [entry]}


CLIENTS = (
    Client(
        "claude-code",
        "Claude Code",
        Place(
            "~/.claude/settings.json",
            lambda: folder("CLAUDE_CONFIG_DIR", ".claude") / "settings.json",
            JSON,
            _claude_code,
            {},
            holds_key=True,
        ),
        after="""\
# or for one shell
export ANTHROPIC_BASE_URL='<url>' ANTHROPIC_AUTH_TOKEN='<key>'
claude

# it asks for models named claude-…: let a channel send them as another one
longwire channels edit openai --set 'renames=claude-*=<model>'
""",
        next_step="Let a channel send its models, claude-*, as one that it has (`renames`).",
    ),
    Client(
        "gemini-cli",
        "Gemini CLI",
        None,
        before="""\
# in the shell that it starts from, or in ~/.gemini/.env without `export`
export GOOGLE_GEMINI_BASE_URL='<url>' GEMINI_API_KEY='<key>'
gemini --model <model>
""",
        no_file="Gemini CLI is set up by its environment and has no file for it but ~/.gemini/.env",
    ),
    Client(
        "opencode",
        "opencode",
        Place(
            "~/.config/opencode/opencode.json",
            _opencode_file,
            JSON,
            _opencode,
            {"$schema": "https://opencode.ai/config.json"},
        ),
        before=_KEY,
    ),
    Client(
        "aider",
        "aider",
        Place("~/.aider.conf.yml", lambda: Path.home() / ".aider.conf.yml", YAML, _aider, {}),
        after="""\
# in the shell that aider starts from; its model is openai/<model>
export OPENAI_API_KEY='<key>'
aider
""",
        next_step='Start it with OPENAI_API_KEY="${env_key}".',
    ),
    Client(
        "cline",
        "Cline",
        None,
        before="""\
# in VS Code: Cline, its settings (the gear), API Configuration
API Provider   OpenAI Compatible
Base URL       <url>/v1
API Key        <key>
Model ID       <model>
""",
        no_file="Cline is set up in the settings of its panel and has no file for it",
    ),
    Client(
        "continue",
        "Continue",
        Place(
            "~/.continue/config.yaml",
            lambda: folder("CONTINUE_GLOBAL_DIR", ".continue") / "config.yaml",
            YAML,
            _continue,
            {"name": "Longwire", "version": "1.0.0", "schema": "v1"},
        ),
        after="""\
# ~/.continue/.env
<env_key>=<key>
""",
        next_step="Put the gateway's key into the .env beside it: {env_key}=…",
    ),
    Client(
        "open-webui",
        "Open WebUI",
        None,
        before="""\
docker run -d --name open-webui -p 3000:8080 -v open-webui:/app/backend/data \\
  --add-host=host.docker.internal:host-gateway \\
  -e OPENAI_API_BASE_URL='<url>/v1' -e OPENAI_API_KEY='<key>' \\
  -e DEFAULT_MODELS='<model>' -e ENABLE_OLLAMA_API=false \\
  ghcr.io/open-webui/open-webui:main

# 127.0.0.1 is the container itself there: where the gateway runs on the same machine, write
# host.docker.internal in its place, and let the gateway listen on an address that containers reach
""",
        no_file="Open WebUI is set up by the environment of its container and has no file for it",
    ),
)
