"""From the one-time token to a turn that is seen to arrive, in the browser alone."""

import re

from playwright.sync_api import expect

from longwire.cli import clients
from tests.ui.stage import OWNER, PASSWORD

CLIENTS = (
    *("curl", "Python (openai)", "JavaScript (openai)", "Codex CLI"),
    *(client.title for client in clients.CLIENTS if client.title != "Gemini CLI"),
)


def test_from_the_token_to_the_first_turn(opened, stage):
    """Setup, a channel, a key, a snippet, a turn; then it stands in the log and the overview."""
    page = opened(None, "/")
    page.wait_for_url("**/setup")
    page.goto(f"/setup#{stage.token}")
    expect(page.get_by_label("One-time token")).to_have_value(stage.token)
    assert "#" not in page.url
    page.get_by_label("Email").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the owner and begin").click()
    page.wait_for_url("**/start")

    page.get_by_role("link", name="Add an OpenAI channel").click()
    page.get_by_label("Name", exact=True).fill("emulator")
    page.get_by_label("Base URL").first.fill(f"{stage.upstream}/v1")
    page.get_by_label("Key of the upstream").fill("sk-any")
    page.get_by_label("Models, one a line").fill("gpt-5.2\ngpt-5-mini")
    page.get_by_role("button", name="Create channel").click()
    page.wait_for_url(re.compile(r"/channels/(?!new)"))
    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_text("It works: Responses over WebSocket.")).to_be_visible()
    expect(page.get_by_text("continued", exact=True)).to_be_visible()

    page.goto("/start")
    page.get_by_role("button", name="Create key").click()
    secret = page.get_by_test_id("secret").inner_text()
    for client in CLIENTS:
        page.get_by_text(client, exact=True).click()
        snippet = page.get_by_label(client, exact=True).and_(page.locator("pre"))
        expect(snippet).to_contain_text(secret)
        expect(snippet).to_contain_text("gpt-5.2")
        expect(snippet).to_contain_text(stage.url if client == "Claude Code" else f"{stage.url}/v1")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_test_id("answer")).to_contain_text("sha256")
    expect(page.get_by_text(re.compile(r"first → emulator"))).to_be_visible()

    page.get_by_role("link", name="gpt-5.2").click()
    expect(page.get_by_role("dialog")).to_contain_text("emulator")
    page.goto("/")
    expect(page.get_by_role("link", name=re.compile(r"^Turns\s*1"))).to_be_visible()
    page.reload()
    page.goto("/keys")
    expect(page.get_by_text(secret)).to_have_count(0)
    expect(page.get_by_text(secret[:6])).to_be_visible()


def test_signing_out_and_in(opened, stage):
    """Somebody who is not signed in comes back to the place they asked for."""
    page = opened(None, "/turns?failed=1")
    page.wait_for_url("**/sign-in**")
    page.get_by_label("Email").fill(OWNER)
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/turns?failed=1")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
