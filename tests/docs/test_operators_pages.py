"""Who follows the pages about warnings, public names and reasons gets what they are about."""

import asyncio
import re

import pytest

from tests.docs.following import HOW_TO, commands, follow, reader, section
from tests.docs.test_readme import FENCE
from tests.doubles.receivers import receiving

OK = [[200, {}]]
CONSOLE = re.compile(r"^\$ ((?:.*\\\n)*.*)", re.MULTILINE)
CHANNEL = "echo sk-any | longwire channels add {} --api-key-stdin --set models=gpt-5.2,gpt-5-mini\n"
pytestmark = [pytest.mark.process, pytest.mark.timeout(120)]


def typed(name):
    """What is typed at the prompts of a page, for one shell that ends at the first that fails."""
    page = (HOW_TO / f"{name}.md").read_text(encoding="utf-8")
    blocks = "\n".join(text for _, language, text in FENCE.findall(page) if language == "console")
    return "set -euo pipefail\n" + "\n".join(CONSOLE.findall(blocks))


async def test_somebody_is_warned(tmp_path):
    """The destinations of the page take a test; its rules are made and changed."""
    here = reader(tmp_path, SMTP_PASSWORD="of-the-mail-server")
    async with (
        receiving("webhook", answers=OK) as chat,
        receiving("webhook", answers=OK) as ops,
    ):
        here["SLACK_URL"] = chat.url
        script = typed("be-warned").replace("https://hooks.example.org/longwire", ops.url)
        script = script.replace("longwire alerts test people", "true")  # a mail server of theirs
        printed = await asyncio.to_thread(follow, script, tmp_path, here)
        assert "delivered; 200" in printed
        assert "whsec_" in printed
        assert "test" in str(await ops.message())


def test_one_name_stands_for_many_channels(tmp_path):
    """The model of the page is made, and it says who would serve a turn."""
    channels = CHANNEL.format("main") + CHANNEL.format("spare") + "longwire keys create dev\n"
    script = commands(section("one-name-many-channels", "On the command line"))
    printed = follow(channels + script, tmp_path, reader(tmp_path))
    assert re.search(r"main.*gpt-5\.2", printed), printed
    assert re.search(r"spare.*gpt-5\.2", printed), printed


def test_a_key_is_set_to_keep_bodies(tmp_path):
    """The command of the page is one that a key takes."""
    script = commands(section("why-not-continued", "4. See both requests side by side"))
    script = script.replace("NAME", "dev").replace("set -euo pipefail\n", "")
    printed = follow(
        f"set -euo pipefail\nlongwire keys create dev\n{script}longwire keys list --json",
        tmp_path,
        reader(tmp_path),
    )
    assert re.search(r'"keeps_bodies": true|"keepsBodies": true', printed), printed
