"""Several keys of a channel, and its overrides, in the browser."""

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import language, violations_in_both_themes

PHONE = {"width": 360, "height": 740}
CREATE = "mutation($i: ChannelInput!) { createChannel(input: $i) { id } }"


@pytest.fixture(scope="module")
def channel(stage, owner):
    """A channel with one key, by its id."""
    wanted = {
        "name": "keyed",
        "baseURL": f"{stage.upstream}/v1",
        "apiKey": "sk-upstream-first-1111",
        "models": ["gpt-5.2"],
    }
    return owner.ask(CREATE, i=wanted)["createChannel"]["id"]


def test_a_key_is_added_disabled_and_removed(opened, owner, channel):
    """It is shown by its last four characters; saving the form besides is no conflict."""
    page = opened(owner, f"/channels/{channel}/settings")
    page.get_by_label("Another key").fill("sk-upstream-second-2222")
    page.get_by_label("Label").fill("team b")
    page.get_by_role("button", name="Add key").click()
    row = page.get_by_role("listitem").filter(has_text="team b …2222")
    expect(row).to_contain_text("sound")
    expect(page.get_by_text("…1111")).to_be_visible()
    assert violations_in_both_themes(page) == []
    page.set_viewport_size(PHONE)
    assert violations_in_both_themes(page) == []
    row.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Turn off").click()
    expect(row).to_contain_text("off")
    page.get_by_label("Name", exact=True).first.fill("keyed-2222")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="keyed-2222")).to_be_visible()
    row.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Remove key").click()
    page.get_by_role("button", name="Remove key").last.click()
    expect(row).to_have_count(0)


def test_overrides_are_looked_at_and_tried_while_they_are_written(opened, owner, channel, tmp_path):
    """What is not theirs to change is refused beside the field; the preview shows what changes."""
    page = opened(owner, f"/channels/{channel}/settings")
    page.get_by_role("button", name="Add an override").click()
    one = page.get_by_role("group", name="Override 1")
    one.get_by_label("Name").fill("input")
    one.get_by_label("Value").fill("low")
    expect(page.get_by_text("input is what sessions go on by")).to_be_visible()
    one.get_by_label("Name").fill("reasoning.effort")
    expect(page.get_by_text("input is what sessions go on by")).to_have_count(0)
    page.get_by_role("button", name="Preview").click()
    preview = page.get_by_role("region", name="Preview")
    expect(preview.locator("del")).to_contain_text('"medium"')
    expect(preview.locator("ins")).to_contain_text('"low"')
    assert violations_in_both_themes(page) == []
    page.set_viewport_size(PHONE)
    assert violations_in_both_themes(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.screenshot(path=tmp_path / "overrides.png", full_page=True)
    with language(page, "zh-CN"):
        expect(page.get_by_role("group", name="覆盖 1")).to_be_visible()


def test_the_value_of_a_header_is_not_shown_and_stays(opened, owner, stage):
    """A saved form keeps it, as long as nothing is typed in its place."""
    override = {"action": "set", "header": "x-team", "value": "planted-value"}
    wanted = {"name": "hidden", "baseURL": f"{stage.upstream}/v1", "apiKey": "sk-upstream"}
    made = owner.ask(CREATE, i={**wanted, "overrides": [override]})["createChannel"]["id"]
    page = opened(owner, f"/channels/{made}/settings")
    value = page.get_by_role("group", name="Override 1").get_by_label("Value")
    expect(value).to_have_value("")
    expect(value).to_have_attribute("placeholder", "••••••")
    expect(value).to_have_attribute("type", "password")
    assert "planted-value" not in page.content()
    page.get_by_text("Limits, network and headers").click()
    page.get_by_label("Tags").fill("kept")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    read = "query($i: ID!) { channel(id: $i) { tags overrides { header value } } }"
    assert {"tags": ["kept"], "overrides": [{"header": "x-team", "value": None}]} == owner.ask(
        read, i=made
    )["channel"]
