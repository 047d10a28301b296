"""Kept bodies in the browser: as a conversation, as a command, in the playground."""

import json
import os
import subprocess
import time

import httpx2
import pytest
from playwright.sync_api import expect

from tests.store.turn_rows import bodies, row
from tests.ui.conftest import language, violations, violations_in_both_themes
from tests.ui.stage import MODELS, OWNER, Stage
from tests.ui.test_turns import written

HOSTILE = (
    '<img src=x onerror="window.broken=1"> <script>window.broken=1</script> {{count}} $t(roles)'
)
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
ELSEWHERE = "https://elsewhere.example/x.png"


def shown(opened, owner, turn):
    """A page with the bodies of a turn."""
    page = opened(owner, f"/turns?open={turn.id}")
    page.get_by_role("button", name="Show bodies").click()
    return page, page.get_by_role("region", name="Bodies")


def user(content):
    """An item of a request."""
    return {"type": "message", "role": "user", "content": content}


def turns(stage, owner, session, *requests, response=b"", **ways):
    """Turns of a session, a second apart, whose bodies are kept."""
    now = time.time_ns() // 1_000_000 - 60_000
    rows = [row(1, now + 1_000 * at, session=session, **ways) for at, _ in enumerate(requests)]
    kept = [
        bodies(each, json.dumps(request).encode(), response)
        for each, request in zip(rows, requests, strict=True)
    ]
    written(stage, owner, rows, kept)
    return rows


def test_what_was_said_is_text_and_nothing_else(opened, owner, stage):
    """Hostile words stay words, an image elsewhere is never fetched, and axe finds nothing."""
    call = {"type": "function_call", "call_id": "c", "name": HOSTILE, "arguments": HOSTILE}
    images = [{"type": "input_image", "image_url": url} for url in (PIXEL, ELSEWHERE)]
    result = {"type": "function_call_output", "call_id": "c", "output": HOSTILE}
    first = [user([{"type": "input_text", "text": HOSTILE}, *images])]
    odd = [{"type": HOSTILE, "x": HOSTILE}, {"role": HOSTILE, "content": HOSTILE}]
    request = {"model": "m", "instructions": HOSTILE, "input": [*first, call, result, *odd]}
    answer = json.dumps({"error": {"message": HOSTILE}}).encode()
    [turn] = turns(stage, owner, "hostile", request, response=answer)
    page, place = shown(opened, owner, turn)
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    conversation = place.get_by_role("list", name="Conversation")
    expect(conversation.get_by_role("listitem")).to_have_count(6)
    expect(conversation.get_by_text(HOSTILE).first).to_be_visible()
    expect(conversation.get_by_role("img")).to_have_count(1)
    expect(conversation).to_contain_text("An image that is not shown")
    assert [] == violations(page)
    place.get_by_role("button", name="Raw JSON").click()
    expect(place.get_by_label("Request", exact=True)).to_contain_text("onerror")
    assert page.evaluate("window.broken === undefined")
    assert [] == [url for url in fetched if url.startswith(ELSEWHERE)]


def test_a_long_conversation_opens_at_what_is_new(opened, owner, stage):
    """A thousand items are there at once, at the new ones, by keyboard, on a phone, in Chinese."""
    long = "\n".join(f"line {number}" for number in range(400))
    call = {"type": "function_call", "call_id": "c", "name": "shell", "arguments": '{"a":[1]}'}
    output = {"type": "function_call_output", "call_id": "c", "output": long}
    before = [user(f"question {number}") for number in range(1_000)]
    requests = [{"model": "m", "input": each} for each in (before, [*before, call, output])]
    _, turn = turns(stage, owner, "long", *requests)
    page, place = shown(opened, owner, turn)
    new = place.get_by_test_id("new-item")
    expect(new).to_be_in_viewport()
    expect(new).to_contain_text('Calls shell{\n  "a": [\n    1\n  ]\n}Result')
    expect(place).to_contain_text("1002 items, 1 new since the turn before")
    expect(new).not_to_contain_text("line 399")
    new.get_by_role("button", name="Show all (3.5 kB)").press("Enter")
    expect(new).to_contain_text("line 399")
    conversation = place.get_by_role("list", name="Conversation")
    conversation.press("Home")
    expect(conversation.get_by_text("question 0", exact=True)).to_be_in_viewport()
    frames = """async list => {
      const from = performance.now();
      for (let at = 0; at < 50; at += 1) {
        list.scrollTop += 700;
        await new Promise(requestAnimationFrame);
      }
      return (performance.now() - from) / 50;
    }"""
    assert conversation.evaluate(frames) < 100
    place.get_by_role("button", name="To what is new").click()
    expect(new).to_be_in_viewport()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert conversation.evaluate("list => list.scrollWidth - list.clientWidth") == 0
    assert [] == violations(page)
    with language(page, "zh-CN"):
        page.get_by_role("button", name="显示正文").click()
        expect(page.get_by_role("list", name="对话")).to_contain_text("新增")


def test_what_is_cut_is_shown_as_far_as_it_goes(opened, owner, stage):
    """A body without its end, and an API that is only passed on, are shown as they can be."""
    now = time.time_ns() // 1_000_000 - 30_000
    cut = row(1, now, session="cut", api="messages")
    passed = row(3, now, session="passed", api="embeddings")
    text = b'{"model":"m","messages":[{"role":"user","content":"as far as'
    written(stage, owner, [cut, passed], [bodies(cut, text), bodies(passed, b'{"input":"x"}')])
    page, place = shown(opened, owner, cut)
    expect(place.get_by_role("list", name="Conversation")).to_contain_text("as far as")
    expect(place).to_contain_text("A body is not whole")
    assert [] == violations_in_both_themes(page)
    page, place = shown(opened, owner, passed)
    expect(place.get_by_label("Request", exact=True)).to_contain_text('"input": "x"')
    expect(place).to_contain_text("This is no conversation")


@pytest.fixture(scope="module")
def key(owner):
    """A key that keeps bodies, of a gateway with a channel to the emulator."""
    owner.channel()
    project = owner.ask("{ projects { nodes { id } } }")["projects"]["nodes"][0]["id"]
    create = "mutation($i: APIKeyInput!) { createAPIKey(input: $i) { secret } }"
    made = owner.ask(create, i={"name": "kept", "projectID": project, "keepsBodies": True})
    return made["createAPIKey"]["secret"]


WAYS = {
    "responses": ("/v1/responses", lambda text: {"input": text}),
    "chat_completions": ("/v1/chat/completions", lambda text: {"messages": [user(text)]}),
    "messages": ("/v1/messages", lambda text: {"max_tokens": 50, "messages": [user(text)]}),
    "generate_content": (
        f"/v1beta/models/{MODELS[0]}:generateContent",
        lambda text: {"contents": [{"role": "user", "parts": [{"text": text}]}]},
    ),
}


def sent(stage, owner, key, api):
    """Send a turn in an API; gives its row's id once the log has it."""
    path, body = WAYS[api]
    text = f'it\'s $(id) `id` "{api}" \\ 你好'
    named = {} if api == "generate_content" else {"model": MODELS[0]}
    headers = {"authorization": f"Bearer {key}", "anthropic-version": "2023-06-01"}
    answer = httpx2.post(f"{stage.url}{path}", json={**named, **body(text)}, headers=headers)
    assert answer.status_code == 200, answer.text
    query = (
        "query($a: String!) { turns(filter: {apiFormat: $a}, first: 1) { nodes { id keyName } } }"
    )
    for _ in range(100):
        found = owner.ask(query, a=api)["turns"]["nodes"]
        if found and found[0]["keyName"] == "kept":
            return found[0]["id"]
        time.sleep(0.1)
    raise AssertionError(found)


@pytest.mark.parametrize("api", WAYS)
def test_a_copied_command_sends_the_very_request_again(opened, owner, stage, key, api):
    """A real shell runs it, a real gateway answers it, and what it kept is what was kept before."""
    turn = sent(stage, owner, key, api)
    page = opened(owner, f"/turns?open={turn}", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Show bodies").click()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied").first).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    assert key not in command
    variables = {**os.environ, "LONGWIRE_KEY": key}
    ran = subprocess.run(
        ["/bin/bash", "-c", command], env=variables, capture_output=True, text=True, check=True
    )
    assert " 200 " in ran.stdout.splitlines()[0], ran.stdout
    query = (
        "query($a: String!) { turns(filter: {apiFormat: $a}, first: 2) "
        "{ nodes { keyName bodies { request } } } }"
    )
    for _ in range(100):
        kept = owner.ask(query, a=api)["turns"]["nodes"]
        if ["kept", "kept"] == [each["keyName"] for each in kept]:
            break
        time.sleep(0.1)
    assert kept[0] == kept[1]


def test_a_kept_conversation_goes_on_in_the_playground(opened, owner, stage, key):
    """It is there in its API with its settings, what is left behind is named, and it is sent."""
    conversation = {
        "model": MODELS[0],
        "instructions": "Be brief",
        "tools": [],
        "input": [
            user("taken over"),
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "said before"}],
            },
        ],
    }
    [turn] = turns(stage, owner, "taken", conversation, model_asked=MODELS[0])
    page, place = shown(opened, owner, turn)
    place.get_by_role("button", name="Open in the playground").click()
    expect(page.get_by_label("Model")).to_have_value(MODELS[0])
    expect(page.get_by_label("Instructions")).to_have_value("Be brief")
    expect(page.get_by_text("Left behind")).to_contain_text("does not have it: tools.")
    expect(page.get_by_role("listitem").filter(has_text="taken over")).to_contain_text(
        "said before"
    )
    assert [] == violations(page)
    page.get_by_label("API key").fill(key)
    page.get_by_label("Question").fill("and now?")
    page.get_by_label("Question").press("Enter")
    answered = page.get_by_role("listitem").filter(has_text="and now?")
    expect(answered).to_contain_text("tokens in")
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_text("Left behind")).to_have_count(0)


@pytest.fixture(scope="module")
def indexing(tmp_path_factory):
    """A gateway whose operator lets bodies be indexed, and its owner."""
    sections = "\n[bodies]\nindex = true\n"
    running = Stage(tmp_path_factory.mktemp("indexing"), sections=sections)
    yield running, running.join(running.token, OWNER)
    running.stop()


def test_kept_bodies_are_searched(browser, indexing):
    """What was said is found in the log and by the palette, marked, as text, and opened."""
    stage, owner = indexing
    owner.channel()
    key = owner.key("kept", keepsBodies=True)
    stage.turn(key, f"明天会议 needle {HOSTILE}")
    context = browser.new_context(
        base_url=stage.url, storage_state=owner.state(), viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    page.goto("/settings")
    expect(page.get_by_text("index = false")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("needle 会议")
    page.get_by_role("option", name="Search kept bodies for: needle 会议").click()
    place = page.get_by_role("list", name="Found in kept bodies")
    for _ in range(20):
        if place.get_by_role("listitem").count():
            break
        time.sleep(0.2)
        page.reload()
        page.wait_for_timeout(500)
    expect(place.locator("mark")).to_have_text(["会议", "needle"])
    expect(place).to_contain_text("<img src=x")
    assert [] == violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    place.get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("new session")
    context.close()
