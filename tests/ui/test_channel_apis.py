"""Channels of any API in the browser: presets, what is on offer, the trial, and the turns' way."""

import re

import httpx2
from playwright.sync_api import expect

from tests.ui.conftest import language, violations, violations_in_both_themes
from tests.ui.stage import MODELS


def test_a_vendor_is_filled_in_by_one_click(opened, owner):
    """Type, address and APIs are the vendor's, each API at its own address; nothing is left out."""
    page = opened(owner, "/channels/new")
    page.get_by_role("button", name="DeepSeek").click()
    expect(page.get_by_role("button", name="DeepSeek")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Name", exact=True)).to_have_value("deepseek")
    expect(page.get_by_label("Base URL").first).to_have_value("https://api.deepseek.com/v1")
    for api, is_offered in (("Responses", False), ("Chat Completions", True), ("Messages", True)):
        box = page.get_by_role("checkbox", name=api, exact=True)
        expect(box).to_be_checked(checked=is_offered)
    expect(page.get_by_role("group", name="Transport", exact=True)).to_have_count(0)
    for api, url in (
        ("Chat Completions", "https://api.deepseek.com/v1/chat/completions"),
        ("Messages", "https://api.deepseek.com/anthropic/v1/messages"),
    ):
        section = page.get_by_role("region", name=api, exact=True)
        expect(section.locator("ol code")).to_have_text([url])
    expect(page.get_by_role("link", name="Get a key from DeepSeek")).to_be_visible()
    assert violations_in_both_themes(page) == []
    with language(page, "zh-CN"):
        expect(page.get_by_role("group", name="厂商")).to_be_visible()


def test_apis_are_chosen_by_keyboard_and_problems_stand_beside_them(opened, owner):
    """Threads are there with the messages API alone; no API at all is told at once."""
    page = opened(owner, "/channels/new")
    page.get_by_label("Name", exact=True).fill("mine")
    threads = page.get_by_role("checkbox", name="Message threads")
    expect(threads).to_have_count(0)
    messages = page.get_by_role("checkbox", name="Messages", exact=True)
    messages.focus()
    page.keyboard.press("Space")
    expect(messages).to_be_checked()
    threads.focus()
    page.keyboard.press("Space")
    expect(threads).to_be_checked()
    for api in ("Responses", "Chat Completions", "Messages"):
        page.get_by_role("checkbox", name=api, exact=True).uncheck()
    for box in page.get_by_role("group", name="Other APIs").get_by_role("checkbox").all():
        box.uncheck()
    expect(page.get_by_text("name at least one API")).to_be_visible()
    expect(threads).to_have_count(0)


def test_other_apis_are_chosen_and_lead_elsewhere(opened, owner, tmp_path):
    """They have boxes of their own; one with another path shows what is dialled, on a phone too."""
    page = opened(owner, "/channels/new")
    page.get_by_label("Name", exact=True).fill("azure")
    others = page.get_by_role("group", name="Other APIs")
    expect(others.get_by_role("checkbox", checked=True)).to_have_count(8)
    others.get_by_role("checkbox", name="Rerank").check()
    page.get_by_text("9 other APIs, passed on as they are").click()
    section = page.get_by_role("region", name="Embeddings", exact=True)
    section.get_by_role("button", name="Differs").click()
    section.get_by_label("Path").fill("/deployments/e/embeddings?api-version=1")
    expect(section.locator("ol code")).to_have_text(
        ["https://api.openai.com/v1/deployments/e/embeddings?api-version=1"]
    )
    assert violations_in_both_themes(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert 360 >= page.evaluate("document.documentElement.scrollWidth")
    others.scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "apis.png", full_page=True)
    with language(page, "zh-CN"):
        expect(page.get_by_role("group", name="其他 API")).to_be_visible()


def test_a_profile_says_what_its_vendor_does_differently(opened, owner):
    """By the host or by name, each setting with its source; one that is set here is marked."""
    page = opened(owner, "/channels/new")
    page.get_by_role("button", name="Mistral").click()
    page.get_by_label("Key of the upstream").fill("sk-1")
    page.get_by_label("Models, one a line").fill("mistral-*")
    expect(page.get_by_label("Profile", exact=True)).to_have_value("mistral")
    page.get_by_text(re.compile(r"^mistral: \d+ differences")).click()
    expect(page.get_by_text('call_ids = "nine"')).to_be_visible()
    page.get_by_label("Profile", exact=True).select_option("")
    expect(page.get_by_label("Profile", exact=True)).to_contain_text("by the host (mistral)")
    page.get_by_role("button", name="Set one differently").click()
    page.get_by_label("Setting", exact=True).select_option("call_ids")
    page.get_by_label("Value", exact=True).fill('"ten"')
    expect(page.get_by_text("the quirk 'call_ids' cannot be")).to_be_visible()
    page.get_by_label("Value", exact=True).fill('"any"')
    expect(page.get_by_text('call_ids = "any"')).to_be_visible()
    expect(page.get_by_text("set here")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Create channel").click()
    expect(page.get_by_role("heading", name="mistral")).to_be_visible()
    expect(page.get_by_label("Value", exact=True)).to_have_value('"any"')


def test_a_price_is_said_of_a_model(opened, owner):
    """What is typed is saved in dollars for a million tokens, and stands there again."""
    channel = owner.channel("priced")
    page = opened(owner, f"/channels/{channel['id']}/settings")
    page.get_by_role("button", name="Add a price").click()
    prices = page.get_by_role("group", name="Prices")
    prices.get_by_label("Model", exact=True).fill("gpt-5*")
    prices.get_by_label("Input").fill("-1")
    expect(prices.get_by_text("must be 0 to 1000000")).to_be_visible()
    prices.get_by_label("Input").fill("1.25")
    expect(prices.get_by_text("is missing; write what a million tokens cost")).to_be_visible()
    prices.get_by_label("Output").fill("10")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    query = "query($id: ID!) { channel(id: $id) { prices { model input cached output } } }"
    (price,) = owner.ask(query, id=channel["id"])["channel"]["prices"]
    assert {"model": "gpt-5*", "input": 1.25, "cached": None, "output": 10.0} == price
    page.reload()
    expect(prices.get_by_label("Input")).to_have_value("1.25")
    rows = prices.get_by_role("row")
    expect(rows.filter(has_text="gpt-5.2")).to_have_text("gpt-5.21.251.251.2510configured")
    assert violations(page) == []


def test_a_trial_says_which_api_was_asked(opened, owner):
    """The list shows what channels offer, the trial in which API it went."""
    channel = owner.channel("tried")
    page = opened(owner, "/channels")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="tried"))
    expect(row).to_contain_text("ResponsesChat")
    page.goto(f"/channels/{channel['id']}/settings")
    page.get_by_label("Model", exact=True).first.fill(MODELS[0])
    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_text("It works: Responses over WebSocket.")).to_be_visible()


def test_a_trial_over_http_has_no_handshake(opened, owner):
    """No step stands there that did not take place; a failure names the API that was asked."""
    claude = {"type": "anthropic", "transport": "http", "models": ["claude-a"]}
    page = opened(owner, f"/channels/{owner.channel('wireless', **claude)['id']}/settings")
    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_text("It works: Messages over HTTP.")).to_be_visible()
    expect(page.get_by_text("✕")).to_have_count(0)
    nowhere = {**claude, "baseURL": "http://127.0.0.1:1/v1", "models": ["claude-nowhere"]}
    page.goto(f"/channels/{owner.channel('nowhere', **nowhere)['id']}/settings")
    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_text("Messages failed:")).to_be_visible()
    expect(page.get_by_text("WebSocket handshake")).to_have_count(0)


def test_turns_show_their_way_from_api_to_api(opened, owner, stage):
    """In which API a turn came and its upstream was asked, why, and only those that went so."""
    models = {"translated": "claude-a", "passed on": "claude-b"}
    ours = {"type": "anthropic", "transport": "http", "models": [*models.values()]}
    owner.channel("claude", **ours)
    key = owner.key("any")
    question = [{"role": "user", "content": "hi"}]
    for path, model in zip(("chat/completions", "messages"), models.values(), strict=True):
        answer = httpx2.post(
            f"{stage.url}/v1/{path}",
            json={"model": model, "messages": question, "max_tokens": 64},
            headers={"authorization": f"Bearer {key}"},
            timeout=30,
        )
        assert (200, "messages") == (answer.status_code, answer.headers["x-longwire-api"])
    page = opened(owner, "/turns")
    page.get_by_label("Upstream spoke").select_option("Messages")
    expect(page).to_have_url(re.compile("upstream=messages"))
    expect(page.get_by_test_id("count")).to_have_text("2 turns")
    translated = page.get_by_role("row").filter(has_text="claude-a")
    expect(translated).to_contain_text("Chat → Messages")
    expect(translated).to_contain_text("translated")
    expect(page.get_by_role("row").filter(has_text="claude-b")).to_contain_text("passed on")
    translated.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("the request was translated, and sent in full")
    expect(dialog).to_contain_text("Upstream spokeMessages")
    assert violations(page) == []


def test_a_trial_asks_in_the_api_that_is_chosen(opened, owner):
    """Each API of a channel can be tried; the outcome names it."""
    channel = owner.channel("both", apis=["responses", "chat_completions"])
    page = opened(owner, f"/channels/{channel['id']}/settings")
    page.get_by_label("API", exact=True).select_option("Chat Completions")
    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_text("It works: Chat Completions over HTTP.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="✕")).to_have_count(0)
    assert violations(page) == []
