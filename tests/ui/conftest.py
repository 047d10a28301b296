"""Pages in Chromium. A page that logs an error, or breaks its policy, fails its test."""

from contextlib import contextmanager

import pytest
from playwright.sync_api import expect, sync_playwright

from longwire.server.ui import BUILT
from tests.ui.stage import FLAGS, OWNER, UI, Stage, chromium

AXE = UI / "node_modules" / "axe-core" / "axe.min.js"

SETTLED = """async () => {
  const isFading = () => document.getAnimations().some((each) => each instanceof CSSTransition);
  for (let calm = 0, frame = 0; calm < 3 && frame < 120; frame += 1) {
    await new Promise(requestAnimationFrame);
    calm = isFading() ? 0 : calm + 1;
  }
}"""
"""Three frames in which no colour is on its way to another one: axe reads colours as they are."""

UNSTUCK = """position => {
  for (const bar of document.querySelectorAll(".sticky.bottom-0")) bar.style.position = position;
}"""
"""Puts bars at the bottom where they belong: what they cover is scrolled to, and is no smaller."""

EXPECTED = ("Failed to load resource", "WebSocket connection to", "net::ERR_")
"""What Chromium logs by itself where a server is away or refuses; tests bring that about."""


def pytest_collection_modifyitems(items):
    """Give browsers the time they need on a machine that is shared."""
    for item in items:
        if "tests/ui/" in str(item.path):
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session", autouse=True)
def _built():
    if not (BUILT / "index.html").is_file():
        pytest.skip("the web interface is not built: python3 dev.py setup")


@pytest.fixture(scope="module")
def browser():
    """A Chromium; its loop must not outlive the module, for other tests have loops of their own."""
    path, variables = chromium()
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=list(FLAGS), env=variables or None
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A gateway with an empty database."""
    running = Stage(tmp_path_factory.mktemp("stage"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def owner(stage):
    """The first owner, signed in."""
    return stage.join(stage.token, OWNER)


@pytest.fixture
def opened(browser, stage):
    """A function: opens a page for somebody, or for nobody; gives the page."""
    contexts, complaints = [], []

    def note(message):
        if message.type in {"error", "warning"} and not message.text.startswith(EXPECTED):
            complaints.append(message.text)

    def start(person=None, path="/", **ways):
        size = {"width": 1280, "height": 860}
        # What moves without end keeps a browser busy that draws without a graphics card.
        given = {"locale": "en-US", "viewport": size, "reduced_motion": "reduce"}
        given |= {"color_scheme": "light", **ways}
        context = browser.new_context(
            base_url=stage.url, storage_state=person.state() if person else None, **given
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


@contextmanager
def language(page, code):
    """Speak a language for a while."""
    page.evaluate("code => localStorage.setItem('longwire-language', code)", code)
    page.reload()
    yield
    page.evaluate("localStorage.removeItem('longwire-language')")


def violations_in_both_themes(page):
    """What axe finds in light, and of colours in dark: a theme changes nothing else."""
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    found += violations(page, ["color-contrast"])
    page.emulate_media(color_scheme="light")
    return found


def violations(page, rules=None):
    """What axe finds, in short; by all its rules and that of targets' sizes, or some."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(SETTLED)
    among = {"runOnly": rules} if rules else {"rules": {"target-size": {"enabled": True}}}
    wanted = {"resultTypes": ["violations"], **among}
    page.evaluate(UNSTUCK, "static")
    found = page.evaluate("wanted => axe.run(document, wanted)", wanted)["violations"]
    page.evaluate(UNSTUCK, "")
    return [(each["id"], [node["html"][:160] for node in each["nodes"][:3]]) for each in found]
