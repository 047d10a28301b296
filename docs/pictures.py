#!/usr/bin/env python3
"""Take the pictures of the web interface in `docs/images/ui`, light and dark.

`python docs/pictures.py [NAME…]` serves a gateway with a week of turns and an emulator, and opens
each page in Chromium; with names it takes those alone.
"""

import asyncio
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import httpx2
from playwright.sync_api import Browser, Page, expect, sync_playwright

from longwire.core.nouns.secret import Secret
from longwire.core.nouns.turn_row import TurnAttempt, TurnDetails, TurnRow
from longwire.fleet.nodes import BEAT
from longwire.store.store import open_store
from tests.databases import postgresql
from tests.store.turn_rows import row
from tests.ui.fleet_stage import fleet_stage
from tests.ui.stage import FLAGS, MODELS, OWNER, Person, Served, Stage, chromium

PLACE = Path(__file__).parent / "images" / "ui"
HOUR = 3_600_000
BY_DAY = range(7, 20)
WIDE = {"width": 1280, "height": 860}
PHONE = {"width": 360, "height": 740}
TALKS = ("fix-login", "docs-pass", "refactor-parser", "nightly-review")


def main() -> None:
    """Take what was named, or all."""
    wanted = set(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            owner = stage.join(stage.token, OWNER)
            names = furnish(stage, owner)
            take(stage, owner, names, wanted)
        finally:
            stage.stop()
    if not wanted or "nodes" in wanted:
        take_nodes()


def furnish(stage: Stage, owner: Person) -> dict[str, str]:
    """Fill the gateway with channels, keys, people, a week of turns and some live sessions."""
    channel = owner.channel("openai", weight=2)["id"]
    second = owner.channel("openai-eu", transport="auto", models=["gpt-5.2", "gpt-5-*"])["id"]
    backend = f"{stage.upstream}/backend-api/codex"
    codex = owner.channel("codex", type="codex", apiKey=None, baseURL=backend, models=["codex-*"])
    for person in ("ada@example.org", "bob@example.org"):
        answer = httpx2.post(f"{stage.upstream}/_emulator/issuer", json={"sign_in": person})
        query = (
            "mutation($c: ID!, $a: String!) { importCodexAuth(channelID: $c, authJSON: $a) { id } }"
        )
        owner.ask(query, c=codex["id"], a=json.dumps(answer.json()))
    keys = {
        name: owner.key(name, **given)
        for name, given in {
            "agents": {"budgets": {"tokensPerDay": 20_000_000, "costPerMonth": 40.0}},
            "ci": {"keepsBodies": True, "rates": {"requestsPerMinute": 120}},
            "laptop": {},
        }.items()
    }
    query = "mutation($i: ProjectInput!) { createProject(input: $i) { id } }"
    owner.ask(query, i={"name": "Research", "description": "Long runs, at night."})
    stage.join(owner.invite("ADMIN"), "grace@example.org")
    stage.join(owner.invite("VIEWER"), "linus@example.org")
    owner.invite("VIEWER")
    add_names_and_budgets(owner, (channel, second))
    turn = write_week(stage, owner, (channel, second))
    for number, talk in enumerate(TALKS):
        past: list = []
        for count in range(5 + 3 * number):
            question = f"question {count}"
            past = [] if count == 4 + number and number % 2 else past
            past = stage.turn(keys["agents" if number % 2 else "laptop"], question, talk, past)
    return {"channel": channel, "codex": codex["id"], "turn": turn, "key": keys["laptop"]}


def add_names_and_budgets(owner: Person, channels: tuple[str, str]) -> None:
    """Add a model over both channels, and a budget that is nearly spent, which fires an alert."""
    targets = [{"channel": each, "model": MODELS[0], "order": n} for n, each in enumerate(channels)]
    query = "mutation($i: ModelInput!) { createModel(input: $i) { id } }"
    owner.ask(query, i={"name": "smart", "targets": targets, "fallbacks": [MODELS[1]]})
    query = "mutation($i: NewBudgetInput!) { createBudget(input: $i) { id } }"
    whose = {"kind": "PROJECT", "subjectID": "prj_default", "action": "WARN"}
    owner.ask(query, i={**whose, "period": "MONTH", "unit": "DOLLARS", "amount": 24.0})


def write_week(stage: Stage, owner: Person, channels: tuple[str, str]) -> str:
    """Write a week of turns; return the id of the one that was tried twice."""
    told = owner.ask("{ projects { nodes { id } } apiKeys { nodes { id name } } }")
    project = told["projects"]["nodes"][0]["id"]
    keys = [(each["id"], each["name"]) for each in told["apiKeys"]["nodes"]]
    now = time.time_ns() // 1_000_000
    rows = [
        each._replace(project_id=project, key_id=key, key_name=name)
        for each, (key, name) in made_week(now, channels, keys)
    ]
    tried = rows[-7]._replace(
        continuity="fresh", reason="replayed", attempts=2, error_code="", outcome="completed",
        status=200, transport="websocket", channel_id=channels[1], channel_name="openai-eu",
        queue_ms=0, first_event_ms=1_310, total_ms=4_200,
    )  # fmt: skip
    rows[-7] = tried
    attempts = (
        TurnAttempt(
            channels[0], "openai", "websocket", "failing", 503, "server_is_overloaded",
            "The server is overloaded; try again in a moment.", 640,
        ),
        TurnAttempt(channels[1], "openai-eu", "websocket", "", 200, "", "", 4_200),
    )  # fmt: skip
    headers = {
        "user-agent": "codex_cli_rs/0.169.0 (Debian 12; x86_64)",
        "originator": "codex_cli_rs",
        "session-id": tried.session,
    }
    beside = [TurnDetails(tried.id, headers, attempts, "")]

    async def write() -> None:
        url = f"sqlite:///{stage.folder}/longwire.db"
        store = await open_store(url, Secret(""), stage.folder / "secret.key")
        await store.turns.add(rows, beside)
        await store.close()

    asyncio.run(write())
    return str(tried.id)


def made_week(
    now: int, channels: tuple[str, str], keys: list[tuple[str, str]]
) -> Iterator[tuple[TurnRow, tuple[str, str]]]:
    """Yield turns of seven days, busier by day, most of them continued."""
    chance = random.Random(7)  # noqa: S311 - pictures shall look the same each time
    for number in range(1_600):
        back = 7 * 24 * HOUR * (1_600 - number) / 1_600
        at = now - HOUR // 3 - int(back + chance.random() * HOUR)
        hour = at // HOUR % 24
        if chance.random() > (0.9 if hour in BY_DAY else 0.25):
            continue
        size = chance.randint(20_000, 900_000)
        continued = chance.random() < 0.86  # noqa: PLR2004
        failed = chance.random() < 0.02  # noqa: PLR2004
        reasons = ["new_session", "new_session", "history_rewritten", "connection_lost"]
        second = chance.random() < 0.35  # noqa: PLR2004
        yield (
            row(
                number,
                at,
                session=chance.choice(TALKS),
                channel_id=channels[second],
                channel_name=("openai", "openai-eu")[second],
                continuity="continued" if continued else "fresh",
                reason="" if continued else chance.choice(reasons),
                model_asked=chance.choice([MODELS[0], MODELS[0], MODELS[1]]),
                outcome="upstream_error" if failed else "completed",
                error_code="rate_limit_exceeded" if failed else "",
                status=429 if failed else 200,
                queue_ms=chance.choice([0, 0, 0, 12]),
                first_event_ms=None if failed else chance.randint(180, 900),
                total_ms=chance.randint(1_200, 9_000),
                bytes_received=size,
                bytes_sent=size // chance.randint(20, 60) if continued else size,
                input_tokens=size // 4,
                cached_tokens=size // 4 - size // 40 if continued else 0,
                output_tokens=chance.randint(80, 2_400),
                cost=chance.randint(2_000_000, 40_000_000),
            ),
            chance.choice(keys),
        )


def take(stage: Stage, owner: Person, names: dict[str, str], wanted: set[str]) -> None:
    """Open each page in both themes, and some on a phone, in Chinese."""
    pages: dict[str, tuple[str, Callable[[Page], None]]] = {
        "overview": ("/?range=7d&by=CHANNEL", still),
        "sessions": ("/sessions", still),
        "session": ("/sessions", open_session),
        "run": ("/sessions?view=all", open_run),
        "turns": ("/turns", still),
        "turn": (f"/turns?open={names['turn']}", still),
        "channels": ("/channels", still),
        "channel": (f"/channels/{names['channel']}", still),
        "accounts": (f"/channels/{names['codex']}/settings", add_account),
        "keys": ("/keys", still),
        "playground": ("/playground", lambda page: talk(page, names["key"])),
        "start": ("/start", still),
        "models": ("/public-models", still),
        "budgets": ("/budgets", still),
        "alerts": ("/alerts", still),
        "projects": ("/projects", still),
        "users": ("/users", still),
        "audit": ("/audit", still),
        "settings": ("/settings", still),
        "palette": ("/channels", open_palette),
    }
    with browsing() as browser:
        for name, (address, act) in pages.items():
            for theme in ("light", "dark"):
                if not wanted or name in wanted:
                    page = opened(browser, stage, owner, color_scheme=theme, viewport=WIDE)
                    shoot(page, address, act, f"{name}-{theme}")
        for name in ("overview", "sessions", "channels"):
            if not wanted or f"phone-{name}" in wanted:
                given = {"viewport": PHONE, "locale": "zh-CN", "color_scheme": "light"}
                page = opened(browser, stage, owner, **given)
                shoot(page, pages[name][0], still, f"phone-{name}")


def take_nodes() -> None:
    """Open the page of nodes of a fleet, with sessions at each node."""
    with (
        tempfile.TemporaryDirectory() as folder,
        postgresql() as server,
        fleet_stage(Path(folder), server, "template0") as stage,
        browsing() as browser,
    ):
        owner = stage.owner()
        for number, node in enumerate(stage.fleet.nodes):
            for talk in TALKS[number:]:
                stage.at(node).turn(stage.fleet.key, "question", talk)
        time.sleep(2 * BEAT)  # until each has told of them
        for theme in ("light", "dark"):
            page = opened(browser, stage, owner, color_scheme=theme, viewport=WIDE)
            shoot(page, "/nodes", still, f"nodes-{theme}")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run a Chromium."""
    path, variables = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(FLAGS), env=variables or None
        )
        yield browser
        browser.close()


def opened(browser: Browser, stage: Served, owner: Person, **ways: object) -> Page:
    """Return a page of a browser in which the owner is signed in."""
    given = {"base_url": stage.url, "storage_state": owner.state(), "locale": "en-US", **ways}
    return browser.new_context(**given).new_page()  # type: ignore[arg-type]


def shoot(page: Page, address: str, act: Callable[[Page], None], name: str) -> None:
    """Take one picture, once nothing loads any more."""
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()
    act(page)
    expect(page.locator(".skeleton")).to_have_count(0)
    page.evaluate("document.activeElement?.blur()")
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)
    page.screenshot(path=PLACE / f"{name}.png", animations="disabled")
    page.context.close()


def still(page: Page) -> None:
    """Do nothing but wait for what the page asks."""
    page.wait_for_load_state("networkidle")


def open_session(page: Page) -> None:
    """Open the session with the most turns."""
    page.get_by_role("row", name=re.compile(TALKS[-1])).get_by_role("button").click()
    page.get_by_role("dialog").wait_for()
    still(page)


def open_run(page: Page) -> None:
    """Open the page of the session with the most turns."""
    page.get_by_role("link", name=TALKS[-1]).first.click()
    page.get_by_role("heading", level=1, name="Session", exact=True).wait_for()
    still(page)


def add_account(page: Page) -> None:
    """Begin a sign-in by a code."""
    page.get_by_role("button", name="Add account").click()
    page.get_by_text("With a code", exact=True).click()
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("Code to enter").wait_for()


def talk(page: Page, key: str) -> None:
    """Ask three questions."""
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name=MODELS[0], exact=True).click()
    for question in ("What does a parser do?", "And a lexer?", "Which of them comes first?"):
        page.get_by_label("Question").fill(question)
        page.get_by_label("Question").press("Enter")
        exchange = page.get_by_role("listitem").filter(has_text=question)
        exchange.get_by_text("tokens in").wait_for()


def open_palette(page: Page) -> None:
    """Search for a word."""
    page.keyboard.press("Control+k")
    page.keyboard.type("ope")
    page.get_by_role("option").first.wait_for()


if __name__ == "__main__":
    main()
