"""Why turns were continued or not, on the overview and in the log; and what is pasted, found."""

import re

import httpx2
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import language, violations
from tests.ui.stage import MODELS

PHONE = {"width": 360, "height": 740}
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def used(stage, owner):
    """A gateway with turns of two sessions and a request of a known id; returns the key."""
    owner.channel()
    key = owner.key()
    past = []
    for number in range(3):
        past = stage.turn(key, f"question {number}", "run-alpha", past)
    answer = httpx2.post(
        f"{stage.url}/v1/responses",
        json={"model": MODELS[0], "input": "hello", "store": False},
        headers={"authorization": f"Bearer {key}", "x-request-id": "req_quoted_0123456789"},
        timeout=30,
    )
    assert 200 == answer.status_code, answer.text
    owner.logged(4)
    return key, answer.json()["id"]


def _palette(page):
    """Open it once the page is there; returns its dialog."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    return page.get_by_role("dialog")


def test_the_overview_says_why(opened, owner, used):
    """The share continued, each reason in words with its mend, filters that the address keeps."""
    page = opened(owner, "/")
    reasons = page.get_by_role("table", name="Why turns were")
    expect(page.get_by_text("of the turns that were sent upstream were continued")).to_be_visible()
    expect(reasons).to_contain_text("there was nothing to continue")
    expect(reasons).to_contain_text("Usual for a first turn.")
    page.get_by_label("Split by").select_option("REASON")
    expect(page).to_have_url(re.compile("by=REASON"))
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Any reason").select_option("continued")
    expect(page).to_have_url(re.compile("reason=continued"))
    expect(page.get_by_text("100% of the turns")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Any reason")).to_have_value("continued")
    assert violations(page) == []
    page.get_by_role("button", name="Clear filters").click()
    reasons.get_by_role("link", name="new session").click()
    expect(page).to_have_url(re.compile("/turns.*reason=new_session"))
    expect(page.get_by_label("Reason", exact=True)).to_have_value("new_session")
    rows = page.get_by_role("table", name="Turns").get_by_role("row")
    expect(rows.filter(has_text="new session").first).to_be_visible()
    expect(rows.filter(has_text="continued")).to_have_count(0)


@pytest.mark.parametrize(
    ("code", "words"), [("en", "Why turns were"), ("zh-CN", "轮次续接与否的原因")]
)
def test_it_fits_a_phone_in_both_languages(opened, owner, used, code, words):
    """At 360 pixels nothing scrolls sideways, with the filters open, and axe finds nothing."""
    page = opened(owner, "/", viewport=PHONE)
    with language(page, code):
        expect(page.get_by_role("heading", name=re.compile(words))).to_be_visible()
        page.locator("summary").first.click()
        assert 0 >= page.evaluate(WIDER)
        assert violations(page) == []


def test_the_palette_finds_what_is_quoted(opened, owner, used):
    """Grouped by what it is: a turn by request and response, a session by its beginning, a key."""
    key, response_id = used
    page = opened(owner, "/")
    palette = _palette(page)
    typed, listed = palette.get_by_role("combobox"), palette.get_by_role("listbox")
    typed.fill("req_quoted_01234")
    turns = listed.get_by_role("group", name="Turns")
    expect(turns.get_by_role("option", name=re.compile("req_quoted_0123456789"))).to_be_visible()
    assert violations(page) == []
    typed.fill(response_id)
    expect(turns.get_by_role("option", name=re.compile(response_id))).to_be_visible()
    typed.fill("run-al")
    expect(listed.get_by_role("group", name="Sessions")).to_contain_text("run-alpha")
    typed.fill(key)
    expect(listed.get_by_role("group", name="API keys")).to_contain_text("dev")
    typed.fill("nothing-is-called-that-0")
    expect(palette).to_contain_text("Nothing is called that.")


@pytest.mark.parametrize("code", ["en", "zh-CN"])
def test_a_pasted_request_id_opens_its_turn(opened, owner, used, code):
    """Without another key press, in both languages and on a phone."""
    page = opened(owner, "/", viewport=PHONE)
    with language(page, code):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.evaluate("navigator.clipboard.writeText('req_quoted_0123456789')")
        _palette(page).get_by_role("combobox").focus()
        page.keyboard.press("Control+v")
        expect(page).to_have_url(re.compile(r"/turns\?open="))
        expect(page.get_by_role("dialog")).to_contain_text("req_quoted_0123456789")
        assert 0 >= page.evaluate(WIDER)
