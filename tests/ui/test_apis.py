"""Turns of each API that clients speak, in the browser: what they come to, and what was said."""

import json
import re
import time

import httpx2
import pytest
from playwright.sync_api import expect

from tests.store.turn_rows import row
from tests.ui.conftest import language, violations
from tests.ui.stage import MODELS
from tests.ui.test_turns import written

QUESTION = [{"role": "user", "content": "naïve?"}]
BODIES = {
    "responses": {"input": QUESTION, "store": False},
    "chat/completions": {"messages": QUESTION},
    "messages": {"messages": QUESTION, "max_tokens": 4096},
}

DELTA_OF = {
    "responses": lambda e: e["delta"] if e["type"] == "response.output_text.delta" else "",
    "chat/completions": lambda e: "".join(c["delta"].get("content") or "" for c in e["choices"]),
    "messages": lambda e: e["delta"].get("text", "") if e["type"] == "content_block_delta" else "",
}
TEXT_OF = {
    "responses": lambda body: body["output"][-1]["content"][0]["text"],
    "chat/completions": lambda body: body["choices"][0]["message"]["content"],
    "messages": lambda body: body["content"][-1]["text"],
}


@pytest.fixture(scope="module")
def ask(stage, owner):
    """A function: asks in an API with a key that keeps bodies; gives request and answer as text."""
    key = owner.key("kept", keepsBodies=True)

    def post(path, **members):
        body = {"model": MODELS[0], **BODIES[path], **members}
        headers = {"authorization": f"Bearer {key}"}
        answer = httpx2.post(f"{stage.url}/v1/{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return body, answer.text

    return post


def test_usage_is_split_by_api(opened, owner, stage, ask):
    """Each API is a line that leads to its turns; sums of no known API are one, too."""
    owner.channel()
    for path, number in {"responses": 1, "chat/completions": 3, "messages": 2}.items():
        for _ in range(number):
            ask(path)
    owner.logged(6, model=MODELS[0])
    written(stage, owner, [row(at=time.time_ns() // 1_000_000 - 60_000, api="")])
    page = opened(owner, "/")
    page.get_by_label("Split by").select_option("By API")
    expect(page).to_have_url(re.compile("by=API"))
    rows = page.get_by_role("table", name="By API").get_by_role("row")
    lines = ["Chat Completions3", "Messages2", "Responses1", "from before APIs were counted1"]
    for line in lines:
        expect(rows.filter(has_text=re.compile(f"^{line}"))).to_have_count(1)
    expect(page.get_by_role("figure").filter(has_text="Chat Completions")).to_have_count(1)
    assert violations(page) == []
    with language(page, "zh-CN"):
        expect(page.get_by_role("table", name="按 API")).to_contain_text("按 API 统计之前的轮次")
    page.reload()
    rows.get_by_role("link", name="Chat Completions").click()
    expect(page).to_have_url(re.compile("api=chat_completions"))
    expect(page.get_by_test_id("count")).to_have_text("3 turns")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("path", BODIES)
def test_bodies_are_shown_in_the_words_of_their_api(opened, owner, ask, path, stream):
    """What the client sent, and the whole answer, also where it came as a stream."""
    model = f"{path.replace('/', '-')}-{stream}"
    owner.channel(model, models=[model])
    request, answer = ask(path, model=model, stream=stream)
    (turn,) = owner.logged(1, model=model)
    page = opened(owner, f"/turns?open={turn}")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Show bodies").click()
    dialog.get_by_role("button", name="Raw JSON").click()
    assert request == shown(dialog, "Request")
    kept = shown(dialog, "Response")
    if stream:
        events = re.findall(r"^data: (\{.*)$", answer, re.MULTILINE)
        text = "".join(DELTA_OF[path](json.loads(event)) for event in events)
        assert text == TEXT_OF[path](kept) != ""
    else:
        assert json.loads(answer) == kept


def shown(dialog, name):
    """What a body that is shown says."""
    return json.loads(dialog.get_by_label(name, exact=True).text_content())
