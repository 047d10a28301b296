"""The audit log as a page: what changed from what to what, filtered, linked, without a secret."""

import re

import pytest
from playwright.sync_api import expect

CHANGE = """mutation($id: ID!, $revision: Int!, $i: ChannelInput!) {
    updateChannel(id: $id, revision: $revision, input: $i) { id revision } }"""
DELETE = "mutation($id: ID!, $revision: Int!) { deleteChannel(id: $id, revision: $revision) }"
PROJECT = "mutation($i: ProjectInput!) { createProject(input: $i) { id revision } }"


@pytest.fixture(scope="module")
def changed(owner):
    """A channel that was made and changed, a key with a budget; gives the channel."""
    made = owner.channel("audited")
    change = {"weight": 2.5, "apiKey": "sk-another-secret"}
    told = owner.ask(CHANGE, **made, i=change)["updateChannel"]
    owner.key("budgeted", budgets={"costPerDay": 2.5})
    return told


def entry(page, *texts):
    """The newest entry that has these texts."""
    found = page.get_by_test_id("entry")
    for text in texts:
        found = found.filter(has_text=text)
    return found.first


def test_changes_are_told_from_old_to_new(opened, owner, changed):
    """Each field has its old and its new value; a secret is nowhere, but its change is."""
    page = opened(owner, "/audit")
    line = entry(page, "audited", "changed")
    expect(line.locator("del", has_text="1")).to_be_visible()
    expect(line.locator("ins", has_text="2.5")).to_be_visible()
    expect(line).to_contain_text(re.compile(r"Upstream key\s*\*\*\*\s*→\s*\*\*\*"))
    expect(line).to_contain_text("owner@example.org")
    whole = entry(page, "budgeted", "created")
    whole.get_by_role("button", name=re.compile("more fields")).click()
    expect(whole).to_contain_text("$2.50")
    expect(whole).to_contain_text(re.compile(r"Project\s*Default"))
    assert "another-secret" not in page.content()
    assert "sk-upstream" not in page.content()


def test_the_kind_stands_in_the_address(opened, owner, changed):
    """Entries of one kind are chosen, and the address brings them back."""
    page = opened(owner, "/audit")
    page.locator("#main").get_by_text("API keys", exact=True).first.click()
    expect(page).to_have_url(re.compile("noun=api-key"))
    expect(entry(page, "budgeted")).to_be_visible()
    expect(page.get_by_test_id("entry").filter(has_text="audited")).to_have_count(0)
    page.reload()
    expect(entry(page, "budgeted")).to_be_visible()
    expect(page.get_by_role("radio", name="API keys")).to_be_checked()
    page.get_by_text("Accounts", exact=True).click()
    expect(page.get_by_text("Nothing of this kind was changed")).to_be_visible()


def test_names_lead_to_what_is_still_there(opened, owner, changed):
    """An entry leads to its channel until that is deleted; then it is a name alone."""
    page = opened(owner, "/audit?noun=channel")
    entry(page, "audited", "changed").get_by_role("link", name="audited").click()
    expect(page.get_by_role("heading", level=1, name="audited")).to_be_visible()
    gone = owner.channel("short-lived")
    owner.ask(DELETE, **gone)
    page.goto("/audit")
    expect(entry(page, "short-lived", "deleted")).to_be_visible()
    expect(page.get_by_role("link", name="short-lived")).to_have_count(0)


def test_older_entries_come_when_they_are_asked_for(opened, owner, changed):
    """Fifty at first, then the older ones below them, to the beginning."""
    for number in range(55):
        owner.ask(PROJECT, i={"name": f"project {number}"})
    page = opened(owner, "/audit")
    expect(page.get_by_test_id("entry")).to_have_count(50)
    page.get_by_role("button", name="Older ones").click()
    expect(page.get_by_text("That is the beginning.")).to_be_visible()
    assert page.get_by_test_id("entry").count() > 55


def test_a_viewer_has_no_audit_log(opened, owner, stage):
    """A viewer has no way to the log; its address alone tells them why."""
    viewer = stage.join(owner.invite("VIEWER"), "viewer@example.org")
    page = opened(viewer, "/audit")
    expect(page.get_by_role("alert").first).to_contain_text("Your role does not allow this")
    expect(page.get_by_test_id("entry")).to_have_count(0)
