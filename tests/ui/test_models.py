"""Models in the browser: made by keyboard, shown with who serves them, asked where a turn goes."""

import httpx2
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import language, violations, violations_in_both_themes
from tests.ui.stage import MODELS

CREATE = "mutation($input: ModelInput!) { createModel(input: $input) { id } }"


@pytest.fixture(scope="module")
def channel(owner):
    """A channel that serves, and another one."""
    owner.channel("spare", tags=["cheap"])
    return owner.channel()


def test_a_model_is_made_and_says_where_it_goes(opened, owner, channel, stage):
    """Problems stand beside their fields while typing; targets move by keyboard; then it serves."""
    page = opened(owner, "/public-models?new=1")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Public name").fill("smart")
    dialog.get_by_label("Channel or tag").select_option(label="main")
    dialog.get_by_label("Weight").fill("0")
    expect(dialog.get_by_text("must be greater than 0")).to_be_visible()
    dialog.get_by_label("Weight").fill("2")
    dialog.get_by_label("Model there").fill(MODELS[0])
    dialog.get_by_role("button", name="Add a target").press("Enter")
    second = dialog.get_by_role("region", name="Target 2")
    second.get_by_label("Channel or tag").select_option(label="all with the tag cheap")
    second.get_by_label("Model there").fill(MODELS[1])
    second.get_by_text("Only for some turns").click()
    second.get_by_label("Tools").select_option(label="has tools")
    dialog.get_by_role("button", name="Move target 2 up").press("Enter")
    first = dialog.get_by_role("region", name="Target 1")
    expect(first.get_by_label("Channel or tag")).to_have_value("tag:cheap")
    run = dialog.get_by_role("region", name="Where would it go?")
    expect(run.get_by_text("Comes first.")).to_be_visible()
    expect(run.get_by_text("Its condition is not met. (tools)")).to_be_visible()
    assert violations(page) == []
    dialog.get_by_role("button", name="Create model").click()
    row = page.get_by_role("row").filter(has_text="smart")
    expect(row.get_by_text(MODELS[0])).to_be_visible()
    expect(row.get_by_text("sound").first).to_be_visible()
    key = owner.key("of-models")
    answer = httpx2.post(
        f"{stage.url}/v1/responses",
        json={"model": "smart", "input": "hello"},
        headers={"authorization": f"Bearer {key}"},
        timeout=30,
    )
    assert (200, "main") == (answer.status_code, answer.headers["x-longwire-channel"])


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_whole_on_every_screen(opened, owner, channel, width):
    """On a desk and on a phone, in both themes and languages, without a violation."""
    target = {"channel": channel["id"], "model": MODELS[0]}
    name = f"shown-{width}"
    owner.ask(CREATE, input={"name": name, "targets": [target], "fallbacks": ["o9"]})
    size = {"width": width, "height": 860}
    page = opened(owner, "/public-models", viewport=size)
    expect(page.get_by_text(name)).to_be_visible()
    assert violations_in_both_themes(page) == []
    assert width >= page.evaluate("document.documentElement.scrollWidth")
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_text("Comes first.")).to_be_visible()
    assert violations_in_both_themes(page) == []
    with language(page, "zh-CN"):
        expect(page.get_by_text("会走到哪里").first).to_be_visible()
        assert violations(page) == []


def test_a_turn_says_why_it_went_there(opened, owner, channel, stage):
    """A plain one is explained as it is configured now, and says so."""
    key = owner.key("why")
    stage.turn(key, "why there", "session-why")
    owner.logged(1, session="session-why")
    page = opened(owner, "/turns")
    page.get_by_role("row").filter(has_text="why").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Explain").click()
    expect(dialog.get_by_text("As it is configured now")).to_be_visible()
    expect(dialog.get_by_text("Comes first.")).to_be_visible()
    assert violations(page) == []
