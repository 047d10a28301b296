"""What people do every day: by keyboard, on a phone, west of UTC; and links that stay true."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import language, violations
from tests.ui.stage import MODELS

PHONE = {"width": 360, "height": 780}
PAGES = ("/?range=7d&by=KEY", "/turns", "/keys", "/channels", "/users", "/audit", "/no-such-page")


@pytest.fixture(scope="module")
def used(stage, owner):
    """A channel, a key, and a few turns of a session, one of them refused."""
    owner.channel("main")
    secret = owner.key("an-agent-with-a-name-that-is-far-too-long-for-its-column")
    past = stage.turn(secret, "one", session="agent-1")
    past = stage.turn(secret, "two", session="agent-1", past=past)
    stage.turn(secret, "three", session="agent-1", past=past)
    return secret


def rows(page):
    """The rows of the turn log."""
    return page.get_by_role("table", name="Turns").get_by_role("row")


def chart(page):
    """The chart of the overview whose bars lead to their turns."""
    return page.get_by_role("figure").filter(has=page.locator("[data-bar]"))


def test_days_are_those_of_utc_wherever_they_are_looked_at(opened, owner, used):
    """West of UTC no bar is dated a day early, and the page says which days they are."""
    page = opened(owner, "/?range=30d", timezone_id="America/Los_Angeles")
    figure = chart(page)
    expect(figure).to_contain_text("Days begin at midnight UTC")
    figure.get_by_role("link").focus()
    page.keyboard.press("End")
    today = datetime.now(UTC)
    expect(figure.locator("strong")).to_have_text(f"{today:%b} {today.day}")
    page.goto("/?range=24h")
    expect(figure).to_contain_text("Hours in your time zone")
    assert "24:00" not in figure.inner_text()


def test_a_chart_is_one_stop_of_the_keyboard(opened, owner, used):
    """Arrow keys go from bar to bar; Enter leads to the turns of that one."""
    page = opened(owner, "/?range=7d")
    link = chart(page).get_by_role("link")
    expect(link).to_have_count(1)
    link.focus()
    page.keyboard.press("End")
    expect(link).to_contain_text(re.compile(r": \d"))
    last = link.get_attribute("href")
    page.keyboard.press("ArrowLeft")
    expect(link).not_to_have_attribute("href", last)
    page.keyboard.press("ArrowRight")
    expect(link).to_have_attribute("href", last)
    page.keyboard.press("Enter")
    page.wait_for_url("**/turns?since=*until=*")
    expect(rows(page)).to_have_count(4)


def test_the_question_mark_lists_the_shortcuts(opened, owner):
    """It does so wherever nothing is typed, and not where a question is."""
    page = opened(owner, "/keys")
    page.get_by_role("searchbox").first.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Ctrl")


def test_the_last_hour_stays_the_last_hour(opened, owner, used):
    """A link holds the span that was chosen, not the times that it was then."""
    page = opened(owner, "/turns")
    page.get_by_label("Time", exact=True).select_option("hour")
    page.wait_for_url("**/turns?since=1h")
    page.reload()
    expect(page.get_by_label("Time", exact=True)).to_have_value("hour")
    expect(rows(page)).to_have_count(4)


def test_what_is_cut_is_read_on_hovering_and_turns_are_gone_through(opened, owner, used):
    """The name of a key has a title where it does not fit; arrows go from turn to turn."""
    page = opened(owner, "/turns")
    cut = page.get_by_role("cell", name=re.compile("^an-agent-with")).first
    cut.hover()
    expect(
        page.get_by_title(re.compile("^an-agent-with-a-name-that-is-far-too-long"))
    ).to_be_visible()
    rows(page).nth(1).get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Newer")).to_be_disabled()
    first = page.url
    dialog.get_by_role("button", name="Older").click()
    expect(page).not_to_have_url(first)
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(first)


def test_a_session_is_that_of_a_key_by_its_name(opened, owner, used):
    """Nobody knows a key by its id."""
    page = opened(owner, "/sessions")
    page.get_by_role("button", name=re.compile("main|agent-1")).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("an-agent-with-a-name")
    expect(dialog).not_to_contain_text("api_key:")


def test_a_form_counts_each_field_once_and_in_words(opened, owner):
    """Three fields that are wrong are three, and no name of a member is read out below."""
    page = opened(owner, "/channels/new")
    page.get_by_label("Name", exact=True).fill("no good name")
    page.get_by_label("Base URL").first.fill("nowhere")
    page.get_by_role("button", name="Create channel").click()
    expect(page.get_by_text("3 fields need a change", exact=True)).to_be_visible()
    expect(page.locator('[aria-invalid="true"]')).to_have_count(3)
    expect(page.get_by_text(re.compile(r"baseURL: "))).to_have_count(0)


def test_a_key_is_rotated_for_good_after_a_leak(opened, owner, stage, used):
    """The old secret ends at once, or in a day: as is chosen."""
    secret = owner.key("leaked")
    page = opened(owner, "/keys")
    page.get_by_role("button", name="Actions: leaked").click()
    page.get_by_role("menuitem", name=re.compile("ecret|otate")).click()
    page.get_by_text("no longer", exact=True).click()
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_test_id("secret")).to_be_visible()
    with pytest.raises(AssertionError):
        stage.turn(secret, "still?")


def test_what_is_not_there_keeps_the_navigation(opened, owner):
    """Who followed an old link can go on from there, and search."""
    page = opened(owner, "/no/such/page")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Search and go"))).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Turns").click()
    page.wait_for_url("**/turns")


def test_a_phone_has_the_menus_of_rows_and_folds_filters(opened, owner, used):
    """A row's menu is in sight without scrolling; the first rows stand below one button."""
    page = opened(owner, "/keys", viewport=PHONE)
    for path in ("/keys", "/channels"):
        page.goto(path)
        menu = page.get_by_role("button", name=re.compile("^Actions: ")).first
        expect(menu).to_be_visible()
        box = menu.bounding_box()
        assert box["x"] + box["width"] <= PHONE["width"]
    page.goto("/turns")
    expect(page.get_by_label("Time", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Model", exact=True).fill(MODELS[0])
    expect(page.get_by_role("button", name="Filters (1)")).to_be_visible()
    page.goto("/?range=7d")
    bars = chart(page).locator("[data-bar]")
    expect(bars.first).to_be_visible()
    assert min(bar.bounding_box()["width"] for bar in bars.all()) >= 5


@pytest.mark.parametrize(("code", "theme"), [("en", "light"), ("zh-CN", "dark")])
def test_axe_finds_nothing_on_a_phone(opened, owner, used, code, theme):
    """Where little fits, in both themes and languages: nor does a page scroll sideways."""
    page = opened(owner, "/", viewport=PHONE, color_scheme=theme)
    with language(page, code):
        for path in PAGES:
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            page.wait_for_load_state("networkidle")
            assert [] == violations(page), path
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_each_page_leads_to_what_is_written_of_it(opened, owner, used):
    """The documentation is read in the page, of this very version; its links lead on in there."""
    page = opened(owner, "/turns")
    page.get_by_role("link", name="Help with this page").click()
    page.wait_for_url("**/help/reference/turn-log.md")
    expect(page.get_by_role("heading", name="The turn log", level=1)).to_be_visible()
    expect(page.get_by_role("table").first).to_be_visible()
    assert [] == violations(page)
    page.get_by_role("link", name="Glossary").first.click()
    page.wait_for_url("**/help/reference/glossary.md")
    expect(page.get_by_role("heading", name="Glossary", level=1)).to_be_visible()
    expect(page.get_by_role("cell", name="continuity", exact=True)).to_be_visible()
