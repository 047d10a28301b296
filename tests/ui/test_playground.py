"""The playground in the browser: a conversation, what is rewritten, what is stopped, what fails."""

import re

import httpx2
import pytest
from playwright.sync_api import expect

from tests.ui.stage import MODELS


@pytest.fixture(scope="module")
def key(owner):
    """A key of a gateway with a channel to the emulator."""
    owner.channel()
    return owner.key("play")


@pytest.fixture
def slowly(stage):
    """The upstream takes its time: some words a second, until the test is over."""
    script = {"tool_rounds": 0, "deltas": 200, "text_bytes": 2_000, "delay_ms": 50}
    httpx2.put(f"{stage.upstream}/_emulator/script", json=script).raise_for_status()
    yield
    httpx2.post(f"{stage.upstream}/_emulator/reset").raise_for_status()


@pytest.fixture
def plain_calls(stage):
    """The model calls tools with nothing, until the test is over."""
    script = {"arguments": "{}"}
    httpx2.put(f"{stage.upstream}/_emulator/script", json=script).raise_for_status()
    yield
    httpx2.post(f"{stage.upstream}/_emulator/reset").raise_for_status()


def playground(opened, owner, key):
    """The page, ready to ask."""
    page = opened(owner, "/playground")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name=MODELS[0], exact=True).click()
    expect(page.get_by_label("Model")).to_have_value(MODELS[0])
    return page


def asked(page, text):
    """Ask, and wait for the whole answer; gives its exchange."""
    page.get_by_label("Question").fill(text)
    page.get_by_label("Question").press("Enter")
    exchange = page.get_by_role("listitem").filter(has_text=text)
    expect(exchange).to_contain_text("tokens in")
    return exchange


def strip(page):
    """What the strip says of the conversation."""
    return page.get_by_role("img", name=re.compile(r"\d (new session|continued)"))


def test_an_edited_question_rewrites_the_history(opened, owner, key):
    """An edited question goes in full, says why, and replaces what followed."""
    page = playground(opened, owner, key)
    expect(asked(page, "first question")).to_contain_text("new session")
    second = asked(page, "second question")
    expect(second).to_contain_text("continued")
    expect(second).to_contain_text(re.compile(r"\d+ B from here, \d+ B sent on|kB from here"))
    asked(page, "third question")
    second.get_by_role("button", name="Edit and send again").click()
    expect(page.get_by_label("Question")).to_have_value("second question")
    expect(page.get_by_label("Question")).to_be_focused()
    rewritten = asked(page, "another second question")
    expect(rewritten).to_contain_text("history rewritten")
    expect(rewritten).to_contain_text("The history differs from what was sent before")
    expect(page.get_by_role("listitem").filter(has_text="third question")).to_have_count(0)
    expect(strip(page)).to_have_accessible_name("1 new session, 2 continued, 1 history rewritten")
    rewritten.get_by_role("link", name="in the log").click()
    expect(page.get_by_role("dialog")).to_contain_text("Why was this not continued?")


@pytest.mark.parametrize(
    ("api", "path"),
    [
        ("Responses", "/v1/responses"),
        ("Chat Completions", "/v1/chat/completions"),
        ("Messages", "/v1/messages"),
        ("Gemini", f"/v1beta/models/{MODELS[0]}:streamGenerateContent?alt=sse"),
    ],
)
def test_a_conversation_continues_in_any_api(opened, owner, key, plain_calls, api, path):
    """A tool's result and a second question go on where the turn before ended, in each API."""
    page = playground(opened, owner, key)
    page.get_by_label("API", exact=True).select_option(api)
    page.get_by_label("Offer a tool").check()
    page.get_by_label("Question").fill("what time is it?")
    page.get_by_label("Question").press("Enter")
    called = page.get_by_role("listitem").filter(has_text="what time is it?")
    expect(called).to_contain_text(re.compile(r"Calls current_time\(\{\}\)"))
    expect(called).to_contain_text(re.compile(r"Result: \d{4}-"))
    expect(called).to_contain_text("new session")
    expect(called).to_contain_text(api if api == "Responses" else f"{api} → Responses")
    expect(asked(page, "and in words?")).to_contain_text("continued")
    expect(strip(page)).to_have_accessible_name("1 new session, 3 continued")
    page.get_by_text("A first turn as a command").click()
    command = page.get_by_label("A first turn as a command")
    mark = '"' if "?" in path else ""
    expect(command).to_contain_text(f"curl -i {mark}{owner.stage.url}{path}{mark} ")
    called.get_by_role("link", name="in the log").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"{api}, streamed")


def test_escape_stops_and_the_conversation_goes_on(opened, owner, key, slowly):
    """What was read stays; a line is begun by Shift and Enter; an edit is left by Escape, too."""
    page = playground(opened, owner, key)
    question = page.get_by_label("Question")
    question.fill("a line")
    question.press("Shift+Enter")
    question.press_sequentially("and another")
    expect(question).to_have_value("a line\nand another")
    question.press("Enter")
    exchange = page.get_by_role("listitem").filter(has_text="and another")
    expect(exchange).to_contain_text("sha256")
    page.keyboard.press("Escape")
    expect(exchange).to_contain_text("Stopped.")
    expect(page.get_by_role("img", name="1 abandoned")).to_be_visible()
    exchange.get_by_role("button", name="Edit and send again").click()
    expect(page.get_by_text("This question replaces the earlier one")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("This question replaces the earlier one")).to_have_count(0)


def test_a_failure_names_its_mend(opened, owner, key):
    """What the gateway refuses is told with its code and what helps; it can be tried again."""
    page = playground(opened, owner, key)
    page.get_by_label("Model").fill("no-such-model")
    page.get_by_label("Question").fill("does it fail?")
    page.get_by_label("Question").press("Enter")
    exchange = page.get_by_role("listitem").filter(has_text="does it fail?")
    expect(exchange.get_by_role("alert")).to_contain_text("No channel serves the model")
    expect(exchange).to_contain_text("model_not_found")
    expect(exchange).to_contain_text("Choose a model from the list")
    exchange.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name=MODELS[0], exact=True).click()
    expect(asked(page, "does it work?")).to_contain_text("new session")
    page.get_by_label("API key").fill("lw_nobody_was_given_this")
    expect(page.get_by_text("Nobody was given this key")).to_be_visible()


def test_a_key_is_made_and_kept_in_memory_alone(opened, owner, key):
    """It outlives the visit of another page, no reload, and no storage has it."""
    page = opened(owner, "/playground")
    page.get_by_role("button", name="Make one for a day").click()
    field = page.get_by_label("API key")
    expect(field).not_to_have_value("")
    secret = field.input_value()
    page.get_by_role("button", name=MODELS[0], exact=True).click()
    asked(page, "is it kept?")
    page.get_by_role("link", name="Turns", exact=True).click()
    page.get_by_role("link", name="Playground", exact=True).click()
    expect(field).to_have_value(secret)
    expect(page.get_by_role("listitem").filter(has_text="is it kept?")).to_be_visible()
    stored = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert secret[3:] not in stored
    assert MODELS[0] in stored
    page.reload()
    expect(field).to_have_value("")
    expect(page.get_by_label("Model")).to_have_value(MODELS[0])
