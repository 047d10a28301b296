"""Every page, in both languages and themes: drawn, without a violation that axe finds."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import violations, violations_in_both_themes
from tests.ui.stage import MODELS

PAGES = {
    "/": "Overview",
    "/?by=CHANNEL&range=7d&metric=bytesSaved": "Overview",
    "/start": "First steps",
    "/sessions": "Sessions",
    "/turns": "Turns",
    "/turns?failed=1": "Turns",
    "/playground": "Playground",
    "/channels": "Channels",
    "/channels/new": "Add channel",
    "/public-models": "Models",
    "/public-models?new=1": "Models",
    "/keys": "API keys",
    "/keys?new=1": "API keys",
    "/projects": "Projects",
    "/users": "Users",
    "/audit": "Audit",
    "/alerts": "Alerts",
    "/alerts?rule=new": "Alerts",
    "/alerts?destination=new": "Alerts",
    "/nodes": "Nodes",
    "/settings": "Settings",
    "/no-such-page": "There is no such page",
}
UNTRANSLATED = "app|alerts|channels|keys|turns|sessions|overview|users|nodes"
CHINESE = {"/": "概览", "/sessions": "会话", "/channels": "渠道", "/settings": "设置"}


@pytest.fixture(scope="module")
def used(stage, owner):
    """A gateway that has been used: a channel of each kind, a key, turns of three sessions."""
    made = owner.channel()
    backend = f"{stage.upstream}/backend-api/codex"
    owner.channel("codex", type="codex", apiKey=None, baseURL=backend, models=["codex-only"])
    key = owner.key(budgets={"tokensPerDay": 100_000, "costPerMonth": 5.0}, keepsBodies=True)
    for session in range(3):
        past = []
        for number in range(4):
            past = stage.turn(key, f"question {number}", f"session-{session}", past)
    return made["id"]


@pytest.mark.parametrize(("code", "titles"), [("en", PAGES), ("zh-CN", CHINESE)])
def test_pages_have_no_violations(opened, owner, used, code, titles):
    """In each language, and in both themes, a page has its title, no violation, all translated."""
    page = opened(owner, "/")
    page.evaluate("code => localStorage.setItem('longwire-language', code)", code)
    found = {}
    own = [(f"/channels/{used}{part}", "main") for part in ("", "/settings")]
    for path, title in [*PAGES.items(), *own]:
        page.goto(path)
        wanted = titles.get(path, title if code == "en" else re.compile("."))
        expect(page.get_by_role("heading", level=1)).to_have_text(wanted)
        expect(page.locator(".skeleton")).to_have_count(0)
        text = page.locator("body").inner_text()
        assert not re.search(rf"\b({UNTRANSLATED}):?\.\w+", text)
        # Another language changes nothing that axe looks at, but for texts without one.
        if problems := violations_in_both_themes(page) if code == "en" else []:
            found[path] = problems
    assert found == {}


def test_nothing_is_wider_than_a_phone(opened, owner, used):
    """At 360 pixels no page scrolls sideways."""
    page = opened(owner, "/", viewport={"width": 360, "height": 740})
    wide = {}
    for path in PAGES:
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        root = "document.documentElement"
        wide[path] = page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
    assert {path: width for path, width in wide.items() if width > 0} == {}


def test_sessions_are_live(opened, owner, stage, used):
    """A connection is a row with its strip; a new turn shows by itself; it is closed from there."""
    key = owner.key("live")
    page = opened(owner, "/sessions")
    expect(page.get_by_role("cell", name=re.compile("session-0"))).to_be_visible()
    past = stage.turn(key, "one", "watched")
    row = page.get_by_role("row", name=re.compile("watched"))
    expect(row).to_contain_text("0 / 1")
    stage.turn(key, "two", "watched", past)
    expect(row).to_contain_text("1 / 2")
    expect(row.get_by_role("img")).to_have_accessible_name("1 new session, 1 continued")
    row.get_by_role("button", name=re.compile("watched")).click()
    dialog = page.get_by_role("dialog").first
    expect(dialog).to_contain_text("Continued: only what is new was sent.")
    expect(dialog).to_contain_text("there was nothing to continue")
    assert violations(page) == []
    dialog.get_by_role("button", name="Close connection").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Close connection").click()
    expect(dialog).to_contain_text("This connection has ended")
    dialog.get_by_role("button", name="Close", exact=True).click()
    expect(row).to_have_count(0)


def test_turns_are_filtered_opened_and_exported(opened, owner, used):
    """Filters stand in the address; a turn says in a sentence why; the file has every row."""
    page = opened(owner, "/turns")
    table = page.get_by_role("table", name="Turns")
    expect(table.get_by_role("row").nth(8)).to_be_visible()
    page.get_by_label("Continuity").select_option("fresh")
    expect(page).to_have_url(re.compile("continuity=fresh"))
    expect(table.get_by_role("row", name=re.compile("continued"))).to_have_count(0)
    table.get_by_role("row", name=re.compile("new session.*dev")).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Why was this not continued?")
    expect(dialog).to_contain_text("The first turn of its session")
    dialog.get_by_role("button", name="Show bodies").click()
    conversation = dialog.get_by_role("list", name="Conversation")
    expect(conversation).to_contain_text("question 0")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Clear filters").click()
    for kind in ("JSON", "CSV"):
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=kind).click()
        text = download.value.path().read_text(encoding="utf-8")
        rows = json.loads(text) if kind == "JSON" else text.splitlines()[1:]
        assert len(rows) >= 12


def test_the_playground_shows_continuity(opened, owner, used):
    """A conversation streams; its second turn continues the first, and says so."""
    page = opened(owner, "/playground")
    page.get_by_label("API key").fill(owner.key("play"))
    page.get_by_label("Model").fill(MODELS[0])
    for number, words in enumerate(("new session", "continued")):
        page.get_by_label("Question").fill(f"question {number}")
        page.get_by_label("Question").press("Enter")
        answer = page.get_by_role("listitem").filter(has_text=f"question {number}")
        expect(answer).to_contain_text("sha256")
        expect(answer).to_contain_text(words)
        expect(answer).to_contain_text("tokens in")
    assert violations(page) == []


def test_keys_people_projects_and_settings(opened, owner, stage, used):
    """Each is made and changed from its page; what can be undone is."""
    page = opened(owner, "/keys")
    page.get_by_role("button", name="Create key").first.click()
    page.get_by_label("Name", exact=True).fill("from the page")
    page.get_by_role("spinbutton", name="Tokens a day").fill("5000")
    page.get_by_role("dialog").get_by_role("button", name="Create key").click()
    secret = page.get_by_test_id("secret").inner_text()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("secret")).to_be_visible()
    page.get_by_role("button", name="I have copied it").click()
    stage.turn(secret, "does it work?")
    row = page.get_by_role("row", name=re.compile("from the page"))
    expect(row).to_contain_text("Tokens a day")
    row.get_by_role("button", name=re.compile("Actions")).click()
    page.get_by_role("menuitem", name="Turn off").click()
    expect(row).to_contain_text("off")
    page.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("on")

    page.goto("/projects")
    page.get_by_role("button", name="Create project").click()
    page.get_by_label("Name", exact=True).fill("research")
    page.get_by_role("dialog").get_by_role("button", name="Create project").click()
    expect(page.get_by_role("button", name="research", exact=True)).to_be_visible()

    page.goto("/users")
    page.get_by_role("button", name="Invite").click()
    page.get_by_role("dialog").get_by_label("Email").fill("guest@example.org")
    page.get_by_role("dialog").get_by_role("button", name="Make the invitation").click()
    link = page.get_by_test_id("link").inner_text()
    page.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_role("cell", name="guest@example.org", exact=True)).to_be_visible()
    guest = opened(None, link.removeprefix(stage.url))
    guest.get_by_label("Email").fill("guest@example.org")
    guest.get_by_label("Password").fill("another long password")
    guest.get_by_role("button", name="Accept the invitation").click()
    guest.wait_for_url(f"{stage.url}/")

    page.goto("/settings")
    page.get_by_label("Days for turns").fill("45")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto("/audit")
    expect(page.get_by_test_id("entry").filter(has_text="settings").first).to_contain_text("45")


def test_everything_goes_by_keyboard(opened, owner, used):
    """The palette opens, finds and goes; the first tab stop skips to the content."""
    page = opened(owner, "/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.keyboard.press("Control+k")
    page.keyboard.type("chan")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Channels")
    page.keyboard.press("Control+k")
    page.keyboard.type("dark")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("heading", level=1)).to_have_text("Channels")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_nothing_moves_for_who_wants_no_motion(opened):
    """With less motion wanted no animation runs, where one does otherwise."""
    page = opened(path="/", reduced_motion="no-preference")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    running = "document.getAnimations().length"
    assert page.evaluate(running) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(running) == 0
