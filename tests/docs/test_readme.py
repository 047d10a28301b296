"""What a reader copies from the README and the pages works."""

import ast
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import dev
from longwire.settings import load

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"\$\{(\w+)\}")
SECRETS = {
    "ALERT_SECRET": "whsec_dHdlbnR5LWZvdXItYnl0ZXMtb3ItbW9yZQ==",
    "ALERT_URL": "https://hooks.example.org/longwire",
}
CHANNEL = '[[channels]]\nname = "of-the-page"\nbase_url = "https://up.example/v1"\napi_key = "sk"\n'
KEY = '\n[[api_keys]]\nname = "of-the-page"\nkey = "lw-for-a-test"\n'
"""What a part of a configuration is shown without."""


def blocks(page, language):
    """The fenced blocks of one language, without their indentation."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [re.sub(rf"(?m)^{indent}", "", text) for indent, name, text in found if name == language]


def every(language):
    """Each block of a language, named by its page."""
    return [
        pytest.param(text, id=str(page.relative_to(ROOT)))
        for page in PAGES
        for text in blocks(page, language)
    ]


@pytest.mark.parametrize("text", every("python"))
def test_python_compiles(text):
    """Every Python example is whole, syntactically."""
    compile(text, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("text", every("toml"))
def test_configuration_loads(text, tmp_path):
    """Every configuration shown, or part of one, is one that the gateway accepts."""
    file = tmp_path / "longwire.toml"
    before = "" if "[[channels]]" in text else CHANNEL
    behind = "" if "[[api_keys]]" in text else KEY
    file.write_text(f"{before}{text}{behind}", encoding="utf-8")
    variables = {name: f"for-a-test-{name}" for name in NAMED.findall(text)}
    settings = load(file, variables | SECRETS)
    assert settings.channels
    assert settings.api_keys


def test_readme_shows_both():
    """The README has a configuration and an example of a client."""
    assert len(blocks(README, "toml")) == 1
    assert len(blocks(README, "python")) == 1


def test_commands_exist():
    """The README's commands are commands of `dev.py`."""
    named = set(re.findall(r"python3 dev\.py (\w+)", README.read_text(encoding="utf-8")))
    assert named == {"demo", "test"}
    assert [name for name in named if not callable(getattr(dev, name))] == []


def test_the_picture_is_legible_on_both_backgrounds():
    """The picture is small, well formed, says what it shows and knows a dark theme."""
    text = (ROOT / "docs" / "images" / "flow.svg").read_text(encoding="utf-8")
    names = {element.tag.rpartition("}")[2] for element in ET.fromstring(text).iter()}  # noqa: S314 - our own file
    assert {"title", "desc"} <= names
    assert "prefers-color-scheme: dark" in text
    assert len(text) < 4096
