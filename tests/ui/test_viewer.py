"""A viewer sees no way to change anything, and the API refuses it too."""

import re

import pytest
from playwright.sync_api import expect

PAGES = ["/", "/sessions", "/turns", "/channels", "/keys", "/projects", "/settings"]
CHANGES = re.compile(
    r"^(Save|Add channel|Create|Invite|Delete|Archive|Turn o|Revoke|Make|Read it again|Test now"
    r"|Close connection|Actions|Discard)"
)
REFUSED = {
    "mutation($i: ChannelInput!) { createChannel(input: $i) { id } }": {"i": {"name": "a"}},
    "mutation($i: APIKeyInput!) { createAPIKey(input: $i) { secret } }": {"i": {"name": "a"}},
    "mutation($i: ProjectInput!) { createProject(input: $i) { id } }": {"i": {"name": "a"}},
    "mutation($i: SettingsInput!) { updateSettings(revision: 1, input: $i) { revision } }": {
        "i": {"turnDays": 1}
    },
    "mutation { closeSession(id: 1) }": {},
    "mutation { reloadFile { file } }": {},
    "query($i: ChannelInput!) { channelDraft(input: $i) { endpoints { dials } } }": {"i": {}},
    "{ users { nodes { email } } }": {},
    "{ audit { nodes { id } } }": {},
}


@pytest.fixture(scope="module")
def viewer(stage, owner):
    """Somebody who may look, at a gateway with a channel, a key and a turn."""
    owner.channel()
    stage.turn(owner.key(), "hello", "s")
    return stage.join(owner.invite("VIEWER"), "viewer@example.org")


@pytest.mark.parametrize("path", PAGES)
def test_a_viewer_sees_no_way_to_change(opened, viewer, path):
    """No page has a button that changes something, and places that are not theirs are not shown."""
    page = opened(viewer, path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.get_by_role("button", name=CHANGES)).to_have_count(0)
    expect(page.get_by_role("link", name=CHANGES)).to_have_count(0)
    expect(page.get_by_role("link", name=re.compile("^(Users|Audit)$"))).to_have_count(0)


def test_a_channel_is_shown_to_a_viewer_and_not_changed(opened, viewer):
    """The editor shows everything and takes nothing."""
    page = opened(viewer, "/channels")
    page.get_by_role("link", name="main").click()
    tabs = page.get_by_role("navigation", name="Parts of the channel")
    tabs.get_by_role("link", name="Settings").click()
    expect(page.get_by_label("Base URL").first).to_be_disabled()
    expect(page.get_by_role("region", name="Responses", exact=True)).to_contain_text("dials")
    expect(page.get_by_role("button", name=CHANGES)).to_have_count(0)


@pytest.mark.parametrize("query", REFUSED)
def test_the_api_refuses_a_viewer(viewer, query):
    """What the page does not offer, the API does not do."""
    told = viewer.answer(query, **REFUSED[query])
    assert [error["extensions"]["code"] for error in told["errors"]] == ["FORBIDDEN"]
