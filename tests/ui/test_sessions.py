"""Sessions and traces in the page: live and ended, and each run as a timeline."""

import re

import httpx2
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import language, violations
from tests.ui.stage import MODELS

RUN = "0198c9f4-7e5a-7cc3-98c4-dc0c0c07398f"


def _ask(stage, key, model, past, agent=""):
    """A turn as Claude Code names it, of a sub-agent where one is named."""
    headers = {"authorization": f"Bearer {key}", "x-claude-code-session-id": RUN}
    headers |= {"x-claude-code-agent-id": agent} if agent else {}
    history = [*past, {"type": "message", "role": "user", "content": f"question {len(past)}"}]
    body = {"model": model, "input": history, "store": False}
    answer = httpx2.post(f"{stage.url}/v1/responses", json=body, headers=headers, timeout=30)
    assert 200 == answer.status_code, answer.text
    return [*history, *answer.json()["output"]]


@pytest.fixture(scope="module")
def ran(stage, owner):
    """A run of an agent and its sub-agent, over two channels and three models."""
    owner.channel("first", models=MODELS[:1])
    owner.channel("second", models=[*MODELS[1:], "helper"])
    key = owner.key("agents")
    for model in MODELS:
        _ask(stage, key, model, _ask(stage, key, model, []))
    aside = _ask(stage, key, "helper", [], "a1")
    _ask(stage, key, "helper", aside, "a1")
    return key


def _settled(page, path):
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)


def test_live_sessions_stand_over_their_connections(opened, owner, ran):
    """By name, with the key's name and the model; where there are two, both stand below."""
    page = opened(owner, "/sessions")
    session = page.get_by_role("row", name=re.compile(f"{RUN}.*agents.*2 connections"))
    expect(session).to_contain_text("/ 4")
    expect(page.get_by_role("row", name=re.compile("second #"))).to_have_count(2)
    page.get_by_role("button", name=re.compile("first #")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("agents")
    expect(dialog).not_to_contain_text("api_key:")
    assert [] == violations(page)
    dialog.get_by_role("link", name="Trace").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trace")


def test_a_run_is_found_and_drawn(opened, owner, ran):
    """Listed with its sums; a trace has a lane for each agent; up and down go through its turns."""
    page = opened(owner, "/sessions?view=traces")
    row = page.get_by_role("row", name=re.compile("07398f"))
    expect(row).to_contain_text("/ 6")
    expect(row).to_contain_text("live")
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trace")
    expect(page.locator("dl").first).to_contain_text("6")
    table = page.get_by_role("table", name="Turn by turn")
    expect(table.get_by_role("columnheader", name="Agents")).to_be_visible()
    expect(table.get_by_role("link")).to_have_count(6)
    expect(table).to_contain_text("helper")
    expect(table).to_contain_text("second")
    expect(table).to_contain_text("07398f/a1")
    first, second = (table.get_by_role("link").nth(place) for place in range(2))
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Whose it was")
    dialog.get_by_role("link", name=RUN, exact=True).last.click()
    expect(page).to_have_url(re.compile(f"/traces/{RUN}"))
    expect(page.get_by_role("table", name="Turn by turn")).to_be_visible()


def test_sessions_are_filtered(opened, owner, ran):
    """What is picked stands in the address; a part of a name is no name."""
    page = opened(owner, "/sessions?view=all")
    rows = page.get_by_role("table", name="All sessions").get_by_role("row")
    expect(rows).to_have_count(3)
    page.get_by_label("Model").fill("helper")
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile("model=helper"))
    page.get_by_label("Model").fill("")
    expect(rows).to_have_count(3)
    page.get_by_label("State").select_option("ended")
    expect(page.get_by_text("Nothing is found")).to_be_visible()


def test_pages_of_runs_are_for_everybody(opened, owner, ran, tmp_path):
    """In both themes and languages no violation; on a phone nothing scrolls sideways."""
    page = opened(owner, "/sessions?view=traces", color_scheme="light")
    page.get_by_role("row", name=re.compile(r"c07398f\b.*6")).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trace")
    paths = [page.url, f"/traces/{RUN}", "/sessions", "/sessions?view=all"]
    for path in paths:
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            _settled(page, path)
            expect(page.locator("html")).to_have_attribute("data-theme", theme)
            assert [] == violations(page), (path, theme)
            page.screenshot(path=tmp_path / f"{paths.index(path)}-{theme}.png")
    page.set_viewport_size({"width": 360, "height": 740})
    with language(page, "zh-CN"):
        for path in paths:
            _settled(page, path)
            root = "document.documentElement"
            assert 0 >= page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"), path
            assert not re.search(r"\b(sessions|app):?\.\w+", page.locator("body").inner_text())
            page.screenshot(path=tmp_path / f"{paths.index(path)}-phone.png")


def test_a_run_that_is_none(opened, owner, ran):
    """It says so."""
    page = opened(owner, "/traces/none")
    expect(page.get_by_role("alert")).to_be_visible()
