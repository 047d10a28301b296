"""The channel's editor as a table: type, auth, transport, scheme, inherited or own."""

import itertools
import re

import pytest
from playwright.sync_api import expect

TYPES = {"openai": "OpenAI API", "codex": "Codex"}
AUTHS = {"key": "A key", "account": "Accounts that sign in"}
TRANSPORTS = {"auto": "Auto", "websocket": "WebSocket", "http": "HTTP"}
SCHEMES = {"openai": ("http", "wss"), "codex": ("https",)}
DIALS = {"auto": ("ws", "http"), "websocket": ("ws",), "http": ("http",)}
OWN = ("inherited", "url", "transport")
STATES = [
    (kind, auth, transport, scheme, own)
    for kind, auth, transport in itertools.product(TYPES, AUTHS, TRANSPORTS)
    for scheme, own in itertools.product(SCHEMES[kind], OWN)
    if kind == "codex" or auth == "key"
]


def expected(transport, scheme, own):
    """The URLs that are dialled, the preferred one first."""
    host, base = "a.example", scheme
    if own == "url":
        host, transport = "b.example", "websocket"  # a ws(s) URL of its own, transport inherited
        base = "wss"
    if own == "transport":
        transport = "http"
    secure = "s" if base in ("https", "wss") else ""
    return [f"{each}{secure}://{host}/v1/responses" for each in DIALS[transport]]


def choose(page, group, label):
    """Choose one of the radio buttons of a group."""
    page.get_by_role("group", name=group, exact=True).get_by_text(label, exact=True).click()


@pytest.mark.parametrize("kind", TYPES)
def test_every_state_says_what_is_dialled(opened, owner, kind):
    """In each state of the editor the URLs shown are those that the gateway would call."""
    page = opened(owner, "/channels/new")
    choose(page, "Type", TYPES[kind])
    section = page.get_by_role("region", name="Responses", exact=True)
    section.get_by_role("button", name="Differs").click()
    seen, before = 0, (None, None, None)
    for _, auth, transport, scheme, own in (each for each in STATES if each[0] == kind):
        if kind == "codex" and auth != before[0]:
            choose(page, "How the upstream knows us", AUTHS[auth])
        if transport != before[1]:
            choose(page, "Transport", TRANSPORTS[transport])
        if scheme != before[2]:
            page.get_by_label("Base URL").first.fill(f"{scheme}://a.example")
        before = auth, transport, scheme
        section.get_by_label("Base URL").fill("wss://b.example" if own == "url" else "")
        section.get_by_label("Transport").select_option("http" if own == "transport" else "")
        expect(section.locator("ol code")).to_have_text(expected(transport, scheme, own))
        expect(page.get_by_label("Key of the upstream")).to_have_count(int(auth == "key"))
        seen += 1
    assert seen == 18


def test_what_is_typed_survives_every_switch(opened, owner):
    """Type, auth and transport are switched there and back: each side has kept what was typed."""
    page = opened(owner, "/channels/new")
    section = page.get_by_role("region", name="Responses", exact=True)
    base = page.get_by_label("Base URL").first
    base.fill("https://openai.example/v1")
    page.get_by_label("Key of the upstream").fill("sk-openai")
    section.get_by_role("button", name="Differs").click()
    section.get_by_label("Path").fill("/v9/responses")
    choose(page, "Type", "Codex")
    expect(base).to_have_value("")
    base.fill("https://codex.example")
    expect(page.get_by_label("Key of the upstream")).to_have_count(0)
    choose(page, "How the upstream knows us", "A key")
    expect(page.get_by_label("Key of the upstream")).to_have_value("sk-openai")
    choose(page, "Transport", "HTTP")
    choose(page, "Type", "OpenAI API")
    expect(base).to_have_value("https://openai.example/v1")
    expect(page.get_by_label("Key of the upstream")).to_have_value("sk-openai")
    expect(section.get_by_label("Path")).to_have_value("/v9/responses")
    choose(page, "Type", "Codex")
    expect(base).to_have_value("https://codex.example")
    expect(section.locator("ol code")).to_have_text(["https://codex.example/v9/responses"])


MARKS = [
    ("https://a.example", "", "https://a.example/v1/responses"),
    ("https://a.example/v4", "", "https://a.example/v4/responses"),
    ("https://a.example#", "", "https://a.example/responses"),
    ("https://a.example/all/of/it##", "", "https://a.example/all/of/it"),
    ("https://a.example", "/v7/x", "https://a.example/v7/x"),
]


def test_marks_of_a_base_url(opened, owner):
    """`#` and `##` at the end do what the explanation beside the field says."""
    page = opened(owner, "/channels/new")
    choose(page, "Transport", "HTTP")
    section = page.get_by_role("region", name="Responses", exact=True)
    section.get_by_role("button", name="Differs").click()
    for base, path, dials in MARKS:
        page.get_by_label("Base URL").first.fill(base)
        section.get_by_label("Path").fill(path)
        expect(section.locator("ol code")).to_have_text([dials])


def test_problems_stand_at_their_fields(opened, owner):
    """What cannot be is told at once, at its field, with the mend; saving it changes nothing."""
    page = opened(owner, "/channels/new")
    page.get_by_label("Name", exact=True).fill("two words")
    page.get_by_label("Base URL").first.fill("a.example")
    page.get_by_role("checkbox", name="Messages", exact=True).check()
    messages = page.get_by_role("region", name="Messages", exact=True)
    messages.get_by_role("button", name="Differs").click()
    messages.get_by_label("Transport").select_option("websocket")
    for label, words in (("Name", "letters, digits"), ("Key of the upstream", "is missing")):
        field = page.get_by_label(label, exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(words))
    expect(messages).to_contain_text("only the responses API has a websocket transport")
    expect(page.get_by_text("must be an http, https, ws or wss URL").first).to_be_visible()
    page.get_by_role("button", name="Add a name").click()
    page.get_by_label("asked for").fill("claude-*")
    page.get_by_label("sent as").fill("gpt-*")
    expect(page.get_by_text("write the one name that the upstream knows")).to_be_visible()
    page.get_by_role("button", name="Create channel").click()
    expect(page.get_by_text("fields need a change")).to_be_visible()
    expect(page).to_have_url(re.compile("channels/new"))
    expect(page.get_by_label("Name", exact=True)).to_have_value("two words")
