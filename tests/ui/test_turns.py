"""The turn log in the browser: long logs, what ends meanwhile, filters, one turn, files."""

import asyncio
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from playwright.sync_api import expect

from longwire.core.nouns.secret import Secret
from longwire.core.rules.continuity import Reason
from longwire.store.store import open_store
from tests.store.turn_rows import bodies, row
from tests.ui.conftest import language, violations
from tests.ui.stage import UI

LONG = 20_000
HOUR = 3_600_000
SCROLL = """async ([step, frames]) => {
  const table = document.querySelector('[role="table"]');
  for (let frame = 0; frame < frames; frame += 1) {
    table.scrollTop += step;
    await new Promise(requestAnimationFrame);
  }
  return document.querySelectorAll('[role="row"]').length;
}"""


def written(stage, owner, rows, kept=()):
    """Write rows into the log, as turns of the first project."""
    told = owner.ask("{ projects { nodes { id } } }")
    project = told["projects"]["nodes"][0]["id"]
    placed = [each._replace(project_id=project) for each in rows]

    async def write():
        url = f"sqlite:///{stage.folder}/longwire.db"
        store = await open_store(url, Secret(""), stage.folder / "secret.key")
        for start in range(0, len(placed), 2_000):
            await store.turns.add(placed[start : start + 2_000], kept)
        await store.close()

    # In a thread of its own: the browser's client has the loop of this one.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(lambda: asyncio.run(write())).result()


@pytest.fixture(scope="module")
def log(stage, owner):
    """A log of 20,000 turns, a few seconds apart, the last one an hour ago."""
    now = time.time_ns() // 1_000_000
    rows = [
        row(
            number,
            now - HOUR - 3_000 * (LONG - number),
            model_asked=f"model-{number}",
            error_code="overloaded" if number % 50 == 0 else "",
        )
        for number in range(LONG)
    ]
    written(stage, owner, rows)
    return rows


def table_of(page, name="Turns"):
    """The table, once it has rows."""
    table = page.get_by_role("table", name=name)
    expect(table.get_by_role("row").nth(8)).to_be_visible()
    return table


def test_a_long_log_scrolls(opened, owner, log):
    """Only rows in sight exist, and a frame takes the page's thread less than 50 ms."""
    page = opened(owner, "/turns")
    table = table_of(page)
    session = page.context.new_cdp_session(page)
    # Time of the thread: that of a machine's other work is none of the page's.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent():
        told = session.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in told if each["name"] == "TaskDuration")

    frames, before = 200, spent()
    drawn = page.evaluate(SCROLL, [800, frames])
    assert (spent() - before) / frames < 0.050
    assert drawn < 90
    expect(table.locator('[aria-busy="true"]')).to_have_count(0)
    read = int(table.get_attribute("aria-rowcount")) - 1
    assert read >= 2_000
    top = table.evaluate("each => each.scrollTop")
    expect(table.get_by_text(f"model-{LONG - 1 - round(top / 40) - 4}", exact=True)).to_be_visible()


def test_the_end_of_a_time_is_the_way_far_back(opened, owner, log):
    """A log that is too long to scroll is entered at a time."""
    at = log[5_000].id >> 21
    page = opened(
        owner, f"/turns?until={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at / 1000))}"
    )
    first = table_of(page).get_by_role("row").nth(1)
    expect(first).to_contain_text(re.compile("model-(499|500)"))
    expect(page.get_by_label("To", exact=True)).not_to_have_value("")


def test_what_ends_meanwhile_moves_nothing(opened, owner, stage, log):
    """A turn that ends is counted; it comes in when it is wanted, at the top."""
    owner.channel()
    key = owner.key("live")
    page = opened(owner, "/turns")
    table = table_of(page)
    page.evaluate(SCROLL, [40, 10])
    seen, top = (
        table.get_by_role("row").nth(20).inner_text(),
        table.evaluate("each => each.scrollTop"),
    )
    history = stage.turn(key, "one", "watched")
    newer = page.get_by_role("button", name="1 newer turn")
    expect(newer).to_be_visible()
    stage.turn(key, "two", "watched", history)
    newer = page.get_by_role("button", name="2 newer turns")
    expect(newer).to_be_visible()
    assert (seen, top) == (
        table.get_by_role("row").nth(20).inner_text(),
        table.evaluate("each => each.scrollTop"),
    )
    newer.click()
    expect(table_of(page).get_by_role("row").nth(1)).to_contain_text("gpt-5.2")
    expect(page.get_by_role("row").nth(1)).to_contain_text("continued")
    expect(page.get_by_role("row").nth(2)).to_contain_text("new session")
    expect(page.get_by_role("row").nth(3)).to_contain_text(f"model-{LONG - 1}")
    expect(newer).to_have_count(0)


def test_filters_stand_in_the_address(opened, owner, log):
    """What is typed and chosen is in the address; the address alone gives the same rows."""
    page = opened(owner, "/turns")
    table_of(page)
    page.get_by_label("Error code").fill("overloaded")
    expect(page).to_have_url(re.compile(r"error=overloaded"))
    expect(page.get_by_test_id("count")).to_have_text(f"{LONG // 50} turns")
    page.get_by_label("Model").fill("model-50")
    expect(page.get_by_test_id("count")).to_have_text("1 turn")
    expect(page).to_have_url(re.compile(r"model=model-50"))
    page.reload()
    expect(page.get_by_test_id("count")).to_have_text("1 turn")
    expect(page.get_by_label("Model")).to_have_value("model-50")
    page.get_by_label("Model").fill("none of these")
    expect(page.get_by_text("No turn matches")).to_be_visible()
    page.get_by_role("button", name="Clear filters").first.click()
    expect(page).to_have_url(re.compile(r"/turns$"))
    table_of(page)


def test_turns_are_found_by_their_api(opened, owner, stage, log):
    """The list says in which API a turn was asked, keeps one alone, and tells what was dropped."""
    now = time.time_ns() // 1_000_000
    chat = row(9, now - HOUR + 75_000, api="chat_completions", model_asked="chatty")
    written(stage, owner, [chat])
    page = opened(owner, "/turns")
    table_of(page)
    page.get_by_label("API").select_option("Chat Completions")
    expect(page).to_have_url(re.compile(r"api=chat_completions"))
    expect(page.get_by_test_id("count")).to_have_text("1 turn")
    expect(page.get_by_role("cell", name="chatty")).to_have_text("chattyChat → Responses")
    page.goto(f"/turns?open={chat.id}")
    origin = page.get_by_role("dialog").get_by_role("region", name="Whose it was")
    expect(origin).to_contain_text("Chat Completions, streamed")
    expect(origin).to_contain_text("Left outseed, prediction")
    origin.get_by_role("link", name="Chat Completions, streamed").click()
    expect(page).to_have_url(re.compile(r"/turns\?api=chat_completions$"))


def test_each_reason_is_a_sentence(opened, owner, stage, log):
    """Why a turn was not continued is told for each reason, in both languages."""
    reasons, now = list(Reason), time.time_ns() // 1_000_000
    rows = [
        row(number, now - HOUR + 60_000, continuity="fresh", reason=str(reason))
        for number, reason in enumerate(reasons)
    ]
    written(stage, owner, rows)
    page = opened(owner, "/turns")
    for code, question in (("en", "Why was this not continued?"), ("zh-CN", "为什么没有续接")):
        texts = json.loads((UI / f"src/shared/i18n/{code}.json").read_text(encoding="utf-8"))
        with language(page, code):
            table_of(page, {"en": "Turns", "zh-CN": "轮次"}[code])
            for each in rows:
                page.evaluate("path => history.pushState(null, '', path)", f"/turns?open={each.id}")
                dialog = page.get_by_role("dialog")
                expect(dialog).to_contain_text(texts["reasons"][each.reason])
                expect(dialog).to_contain_text(question)


def test_bodies_are_for_those_who_may_read_them(opened, owner, stage, log):
    """They are laid out, folded and shown on purpose; a viewer is not told that there are any."""
    turn = row(7, time.time_ns() // 1_000_000 - HOUR + 90_000)
    written(stage, owner, [turn], [bodies(turn, b'{"model":"m","input":[{"role":"user"}]}')])
    page = opened(owner, f"/turns?open={turn.id}")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("region", name="Time")).to_contain_text("To the first event 199 ms")
    dialog.get_by_role("button", name="Show bodies").click()
    dialog.get_by_role("button", name="Raw JSON").click()
    request = dialog.get_by_label("Request", exact=True)
    expect(request).to_have_text(
        '{\n  "model": "m",\n  "input": [\n    {\n      "role": "user"\n    }\n  ]\n}'
    )
    dialog.locator("summary").first.click()
    expect(request).to_have_count(0)
    viewer = stage.join(owner.invite("VIEWER"), "viewer@example.org")
    told = owner.ask("{ projects { nodes { id } } users { nodes { id email } } }")
    person = next(
        each["id"] for each in told["users"]["nodes"] if each["email"].startswith("viewer")
    )
    joined = "mutation($p: ID!, $u: ID!) { addUserToProject(projectID: $p, userID: $u) { id } }"
    owner.ask(joined, p=told["projects"]["nodes"][0]["id"], u=person)
    page = opened(viewer, f"/turns?open={turn.id}")
    expect(page.get_by_role("dialog")).to_contain_text("gpt-5.5")
    expect(page.get_by_role("button", name="Show bodies")).to_have_count(0)
    expect(page.get_by_role("region", name="Who asked")).to_contain_text("are kept of turns that")


def test_each_attempt_is_told(opened, owner, stage, log):
    """A turn that failed or was sent again shows what struck each try and who asked; so a file."""
    owner.channel("tried", models=["tried"])
    key = owner.key("tries")
    asked = {"model": "tried", "input": "again?", "store": False}
    headers = {"authorization": f"Bearer {key}", "user-agent": "agent/7", "session-id": "tries"}

    def ask(**fault):
        httpx2.post(f"{stage.upstream}/_emulator/faults", json=[{"at": "after_create", **fault}])
        return httpx2.post(f"{stage.url}/v1/responses", json=asked, headers=headers, timeout=30)

    assert ask(act="reset").status_code == 200
    assert ask(act="error", status=400, code="invalid_prompt").status_code == 400
    page = opened(owner, "/turns?model=tried")
    page.get_by_role("row", name=re.compile("invalid_prompt")).click()
    dialog = page.get_by_role("dialog")
    attempts = dialog.get_by_role("region", name="Attempts").get_by_role("listitem")
    expect(attempts).to_have_count(1)
    expect(attempts).to_contain_text("The upstream refused the request itself.")
    expect(dialog.get_by_role("region", name="Who asked")).to_contain_text("agent/7")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("row", name=re.compile("replayed")).click()
    expect(attempts).to_have_count(2)
    expect(attempts.first).to_contain_text("The connection ended before any event.")
    expect(attempts.last).to_contain_text("completed")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="JSON").click()
    turns = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert [["refused"], ["lost", ""]] == [
        [attempt["trouble"] for attempt in each["details"]["attempts"]] for each in turns
    ]


def test_a_file_is_written_or_given_up(opened, owner, log):
    """An export has every row that matches; one that is stopped saves nothing."""
    page = opened(owner, "/turns?error=overloaded")
    table_of(page)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="JSON").click()
    turns = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert [each["modelAsked"] for each in turns] == [
        each.model_asked for each in reversed(log) if each.error_code
    ]
    assert re.fullmatch(r"turns-[\dT-]+\.json", download.value.suggested_filename)
    page.goto("/turns")
    table_of(page)
    slow = {"offline": False, "latency": 200, "downloadThroughput": -1, "uploadThroughput": -1}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    page.get_by_role("button", name="Export").click()
    page.get_by_role("menuitem", name="CSV").click()
    expect(page.get_by_text(re.compile(r"turns written, back to"))).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Nothing was saved.")).to_be_visible()


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_both_apis_of_a_turn_are_read_at_1280_pixels(opened, owner, stage, locale):
    """In which API a turn came and its upstream was asked stands there whole."""
    apis = ("responses", "chat_completions", "messages", "generate_content")
    now = time.time_ns() // 1_000_000
    ways = [(own, other) for own in apis for other in apis if own != other]
    model = f"way-{locale}"
    turns = [
        row(at=now - 1_000 * at, model_asked=model, api=own, upstream_api=other)
        for at, (own, other) in enumerate(ways)
    ]
    written(stage, owner, turns)
    page = opened(owner, f"/turns?model={model}", locale=locale)
    lines = page.get_by_role("row").locator("span[title*='→']")
    expect(lines).to_have_count(len(ways))
    widths = "all => all.map(each => [each.title, each.scrollWidth - each.clientWidth])"
    assert [] == [(title, over) for title, over in lines.evaluate_all(widths) if over > 0]


def test_what_changed_is_a_sentence_and_both_requests_stand_side_by_side(opened, stage, owner):
    """Opened at the place that differs, equal items folded; on a phone, too, and in Chinese."""
    now = time.time_ns() // 1_000_000
    change = {
        "continuity": "fresh",
        "reason": "history_rewritten",
        "changed": "input[1] of 3: function_call_output",
        "session": "what-changed",
    }
    turns = [row(1, now - 5_000, session="what-changed"), row(1, now - 4_000, **change)]
    kept = [
        bodies(turn, json.dumps({"model": "m", "input": ["a", {"output": text}, "c"]}).encode())
        for turn, text in zip(turns, ("done", "cleared"), strict=True)
    ]
    written(stage, owner, turns, kept)
    page = opened(owner, f"/turns?open={turns[1].id}")
    dialog = page.get_by_role("dialog")
    sentence = dialog.get_by_test_id("changed")
    expect(sentence).to_have_text("Item 2 of 3, a tool result, is not what it was.")
    dialog.get_by_role("button", name="Show the difference").click()
    place = dialog.get_by_role("region", name="Against the turn before")
    expect(place.get_by_text("1 equal item in input")).to_have_count(2)
    expect(place.get_by_label("The turn before")).to_contain_text('"output": "done"')
    expect(place.get_by_label("This turn")).to_contain_text('+   "output": "cleared"')
    assert [] == violations(page)
    page.set_viewport_size({"width": 360, "height": 740})
    expect(place.get_by_label("This turn")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    with language(page, "zh-CN"):
        expect(sentence).to_contain_text("工具结果")
    page.set_viewport_size({"width": 1280, "height": 800})
