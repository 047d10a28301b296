"""A channel's page: why it rests and until when, what came of it, how long it took, settings."""

import re

import httpx2
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import language, violations, violations_in_both_themes
from tests.ui.stage import MODELS

PHONE = {"width": 360, "height": 740}
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BUSY = {
    "at": "before_create",
    "act": "error",
    "status": 503,
    "code": "server_is_overloaded",
    "message": "come back, says sk-planted-0123456789",
    "headers": {"retry-after": "600"},
}


def _ask(stage, key):
    body = {"model": MODELS[0], "input": "hello", "store": False, "stream": True}
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.post(
        f"{stage.url}/v1/responses", json=body, headers=headers, timeout=30
    ).status_code


@pytest.fixture(scope="module")
def path(stage, owner):
    """The page of a channel that served three turns, and rests since the fourth."""
    channel = owner.channel(transport="http", weight=3)
    key = owner.key()
    httpx2.put(f"{stage.upstream}/_emulator/script", json={"delay_ms": 3}).raise_for_status()
    assert [200, 200, 200] == [_ask(stage, key) for _ in range(3)]
    faults = f"{stage.upstream}/_emulator/faults"
    httpx2.post(faults, json=[BUSY]).raise_for_status()
    assert 503 == _ask(stage, key)
    return f"/channels/{channel['id']}"


def test_it_says_why_it_rests_and_until_when(opened, owner, path):
    """In words, with the mend, and the way to the turn that met it; no key in what is quoted."""
    page = opened(owner, path)
    state = page.locator("section").filter(has_text="Last error").first
    expect(state).to_contain_text("Its upstream asked to be left alone for a while (Retry-After).")
    expect(state).to_contain_text(re.compile("Tried again in (9|10) min"))
    expect(state).to_contain_text("The upstream is failing. Look at the vendor's status page")
    expect(state).to_contain_text("503 server_is_overloaded")
    expect(state).to_contain_text("come back, says ***")
    state.get_by_role("link", name="The turn that met it").click()
    expect(page.get_by_role("dialog")).to_contain_text("server_is_overloaded")


def test_figures_latency_and_errors(opened, owner, path):
    """Turns against before, a chart that is one stop of the keyboard, errors that lead on."""
    page = opened(owner, path)
    expect(page.get_by_role("link", name=re.compile("^Turns 4 before: 0"))).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Errors 1 · 25%"))).to_be_visible()
    chart = page.get_by_role("link", name="Latency over time")
    chart.focus()
    page.keyboard.press("End")
    expect(page.get_by_role("link", name=re.compile("p50: .* m?s, p95: "))).to_be_visible()
    for figure in ("Whole turn", "Output tokens a second"):
        page.get_by_label("Latency of").select_option(label=figure)
        row = page.get_by_role("table", name="Latency").get_by_role("row").nth(1)
        expect(row).to_contain_text("All turns3")
    page.get_by_label("Latency by").select_option("MODEL")
    expect(page.get_by_role("table", name="Latency")).to_contain_text(MODELS[0])
    page.get_by_text("7 days").click()
    expect(page).to_have_url(re.compile("range=7d"))
    page.get_by_role("link", name="server_is_overloaded").click()
    expect(page).to_have_url(re.compile("/turns.*error=server_is_overloaded"))


def test_settings_are_a_tab_and_keep_what_is_typed(opened, owner, path):
    """Who looks at the overview in between finds the draft again."""
    page = opened(owner, path)
    tabs = page.get_by_role("navigation", name="Parts of the channel")
    tabs.get_by_role("link", name="Settings").click()
    expect(page).to_have_url(re.compile("/channels/.*/settings$"))
    page.get_by_label("Models, one a line").fill("typed-model")
    tabs.get_by_role("link", name="Overview").click()
    expect(page.get_by_text("Served last")).to_be_visible()
    tabs.get_by_role("link", name="Settings").click()
    expect(page.get_by_label("Models, one a line")).to_have_value("typed-model")


def test_the_list_shows_weight_cause_and_last_error(opened, owner, path):
    """Without opening anything; the error is a way to its turn."""
    page = opened(owner, "/channels")
    row = page.get_by_role("row").filter(has_text="main")
    expect(row.get_by_role("cell", name="3", exact=True)).to_be_visible()
    expect(row).to_contain_text("(503 server_is_overloaded)")
    expect(row).to_contain_text("Tried again in")
    row.get_by_role("link", name=re.compile("^503 server_is_overloaded, ")).click()
    expect(page).to_have_url(re.compile("/turns.*open="))


def test_the_overview_compares_channels_and_models(opened, owner, path):
    """Latency by channel and model stands beside what else travelled."""
    page = opened(owner, "/")
    page.get_by_label("Latency by").select_option("CHANNEL")
    expect(page.get_by_role("table", name="Latency")).to_contain_text("main")
    page.get_by_label("Percentile").select_option("p95")
    expect(page.get_by_role("link", name="Latency over time")).to_be_visible()
    assert [] == violations(page)


@pytest.mark.parametrize("code", ["en", "zh-CN"])
def test_it_fits_a_phone(opened, owner, path, code):
    """In both languages and themes nothing scrolls sideways, and axe finds nothing."""
    page = opened(owner, path, viewport=PHONE)
    with language(page, code):
        expect(page.locator(".skeleton")).to_have_count(0)
        expect(page.locator("svg polyline").first).to_be_attached()
        assert 0 >= page.evaluate(WIDER)
        assert [] == violations_in_both_themes(page)
    wide = opened(owner, path)
    with language(wide, code):
        expect(wide.locator("svg polyline").first).to_be_attached()
        assert [] == violations_in_both_themes(wide)
