"""From the one-time token to a turn that is seen to continue, in the browser alone."""

import os
import re
import subprocess

import pytest
from playwright.sync_api import expect

from longwire.cli import clients, codex
from tests.ui.conftest import language, violations_in_both_themes
from tests.ui.stage import MODELS, OWNER, PASSWORD, Stage


@pytest.fixture
def fresh_stage(tmp_path):
    """A gateway nobody has come to yet."""
    running = Stage(tmp_path)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def walked(stage, owner):
    """The owner of a gateway on which every step of the guide is done."""
    owner.channel(transport="auto")
    key = owner.key()
    stage.turn(key, "And a second one?", "agent-1", stage.turn(key, "A question?", "agent-1"))
    owner.logged(2)
    return owner


class Hand:
    """Somebody at a page: counts the fields that are filled in, and the clicks."""

    def __init__(self, page):
        self.page = page
        self.fields = self.clicks = 0

    def fill(self, label, text):
        """Type into a field."""
        self.fields += 1
        self.page.get_by_label(label, exact=True).fill(text)

    def click(self, name):
        """Press a button."""
        self.clicks += 1
        self.page.get_by_role("button", name=name, exact=True).click()


def step(page, title):
    """One step of the guide."""
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=title))


def ticks(page):
    """Wait until a step is done, by its title."""
    return lambda title: expect(step(page, title).get_by_text("done", exact=True)).to_be_attached()


def test_from_the_token_to_a_turn_that_continues(opened, fresh_stage):
    """From the first start to `continued` it takes five fields and five clicks at the most."""
    stage = fresh_stage
    page = opened(None, f"{stage.url}/setup#{stage.token}")
    hand, ticked = Hand(page), ticks(page)
    expect(page.get_by_label("One-time token")).to_have_value(stage.token)
    assert "#" not in page.url
    hand.fill("Email", OWNER)
    hand.fill("Password", PASSWORD)
    hand.click("Create the owner and begin")
    page.wait_for_url("**/start")

    hand.fill("Base URL", f"{stage.upstream}/v1")
    hand.fill("Key of the upstream", "sk-any")
    hand.click("Add channel")
    expect(page.get_by_text("It works: Responses over WebSocket.")).to_be_visible()
    hand.click("Create key")
    secret = page.get_by_test_id("secret").inner_text()
    hand.click("Send two questions")
    expect(page.get_by_test_id("continued")).to_contain_text(re.compile(r"continued .*not resent"))
    assert hand.fields <= 5, hand.fields
    assert hand.clicks <= 5, hand.clicks
    for title in ("Add a channel", "Test it", "Create a key", "See a turn continued"):
        ticked(title)
    expect(step(page, "Connect a client").get_by_text("done", exact=True)).to_have_count(0)

    stage.turn(secret, "What does a client say?", session="agent-1")
    ticked("Connect a client")
    page.reload()
    for title in ("Add a channel", "Test it", "Create a key", "See a turn continued"):
        ticked(title)
    page.goto(f"{stage.url}/keys")
    expect(page.get_by_text(secret)).to_have_count(0)
    expect(page.get_by_text(secret[:6])).to_be_visible()
    navigation = page.get_by_role("navigation", name="Navigation")
    expect(navigation.get_by_role("link", name="Keys")).to_be_visible()
    expect(navigation.get_by_role("link", name="First steps")).to_have_count(0)


def test_the_newcomer_finds_back_and_reads_why(opened, stage, walked):
    """The guide is found again; its command, copied, is served; its turn says why it went so."""
    page = opened(walked, "/", permissions=["clipboard-read", "clipboard-write"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.keyboard.press("Control+k")
    page.keyboard.type("first steps")
    page.keyboard.press("Enter")
    page.wait_for_url("**/start")
    page.get_by_label("A key that you have").fill(walked.key("laptop"))
    command = page.get_by_label("curl", exact=True).and_(page.locator("pre"))
    expect(command).to_contain_text(re.compile(r'lw_[\s\S]+"model":"gpt-'))
    command.locator("..").get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"{stage.url}/v1/responses" in copied
    shell = ["/bin/bash", "-c", copied]
    ran = subprocess.run(shell, env=os.environ, capture_output=True, text=True, check=True)
    assert " 200 " in ran.stdout.splitlines()[0], ran.stdout
    walked.logged(3)

    page.get_by_role("navigation").get_by_role("link", name="Turns", exact=True).click()
    page.get_by_role("row", name=re.compile("single question.*laptop")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Why was this not continued?")
    expect(dialog).to_contain_text("A single question without tools or history")
    page.keyboard.press("Escape")
    page.get_by_role("row", name=re.compile("continued")).first.click()
    expect(dialog).to_contain_text("Continued: only what is new was sent.")


def test_the_snippets_say_what_the_command_prints(opened, stage, walked):
    """Each client is pointed at this very host and port, in the words of `longwire setup`."""
    page = opened(walked, "/start")
    page.get_by_label("Model", exact=True).last.fill(MODELS[0])
    key = "<your key>"
    gateway = clients.Gateway(stage.url, MODELS[0], "LONGWIRE_KEY", key)
    printed = {each.title: each.printed(gateway) for each in clients.CLIENTS}
    printed["Codex CLI"] = codex.rendered(
        codex.Block(f"{stage.url}/v1", "longwire", "LONGWIRE_KEY")
    )
    for title in ("curl", "Python (openai)", "JavaScript (openai)", *printed):
        page.get_by_text(title, exact=True).click()
        snippet = page.get_by_label(title, exact=True).and_(page.locator("pre"))
        text = snippet.inner_text()
        # YAML may quote a text or not; the page's was made for a place that begins with `%`.
        wanted = printed.get(title, f"{stage.url}/v1").strip()
        assert wanted.replace('"', "") in text.replace('"', "")
        assert key in text
        assert MODELS[0] in text
    for path in ("v1/responses", "v1/chat/completions", "v1/messages"):
        expect(page.get_by_text(f"POST {stage.url}/{path}", exact=True)).to_be_visible()


def test_the_guide_has_a_way_back_until_it_is_over(browser, fresh_stage):
    """Who left for the whole form, or another page, is led back; once a turn continued, no more."""
    stage = fresh_stage
    person = stage.join(stage.token, OWNER)
    context = browser.new_context(base_url=stage.url, storage_state=person.state(), locale="en-US")
    page = context.new_page()
    page.goto("/start")
    page.get_by_role("link", name="Add one with all its settings").click()
    page.get_by_label("Name", exact=True).fill("emulator")
    page.get_by_label("Base URL").first.fill(f"{stage.upstream}/v1")
    page.get_by_label("Key of the upstream").fill("sk-any")
    page.get_by_role("button", name="Create channel").click()
    page.wait_for_url(re.compile(r"/channels/(?!new)"))
    page.get_by_role("link", name="Back to the first steps").click()
    page.wait_for_url("**/start")
    ticks(page)("Add a channel")
    page.goto("/keys?new=1")
    page.get_by_label("Name", exact=True).fill("first")
    page.get_by_role("button", name="Create key", exact=True).last.click()
    page.get_by_role("link", name="Back to the first steps").click()
    page.wait_for_url("**/start")
    ticks(page)("Create a key")
    page.goto("/audit")
    page.get_by_role("navigation").get_by_role("link", name="First steps").click()
    page.wait_for_url("**/start")
    context.close()


@pytest.mark.parametrize("code", ["en", "zh-CN"])
def test_the_guide_is_sound_on_a_phone(opened, walked, code):
    """At 360 px nothing is cut off sideways, and axe finds nothing."""
    page = opened(walked, "/start", viewport={"width": 360, "height": 780})
    with language(page, code):
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("pre")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert [] == violations_in_both_themes(page)


def test_a_long_name_of_a_channel_is_no_wider_than_a_phone(browser, fresh_stage):
    """It goes on in the next line, in both languages."""
    owner = fresh_stage.join(fresh_stage.token, OWNER)
    owner.channel(name="the-upstream-of-the-whole-company-in-" + "frankfurt" * 5)
    size = {"width": 360, "height": 780}
    context = browser.new_context(
        base_url=fresh_stage.url, storage_state=owner.state(), viewport=size, locale="en-US"
    )
    page = context.new_page()
    page.goto("/start")
    for code in ("en", "zh-CN"):
        with language(page, code):
            expect(page.get_by_text("frankfurtfrankfurt").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_signing_out_and_in(opened, owner):
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
