"""Budgets and people's keys in the page: made, spent, told in their zone, on a phone, too."""

import os
import re

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import violations, violations_in_both_themes


@pytest.fixture(scope="module")
def member(stage, owner):
    """A member of the default project, at a gateway with a channel and a model without price."""
    owner.channel(models=["gpt-5.5", "made-up"])
    person = stage.join(owner.invite("MEMBER"), "member@example.org")
    user = person.ask("{ me { user { id } } }")["me"]["user"]["id"]
    owner.ask(
        'mutation($u: ID!) { addUserToProject(projectID: "prj_default", userID: $u) { id } }',
        u=user,
    )
    return person


def pictured(page, name):
    """Keep a picture where somebody asks for them."""
    if folder := os.environ.get("LONGWIRE_TEST_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_budget_is_made_and_told_with_its_zone(opened, owner, member):
    """In few fields; what has no price is said, and the zone is chosen for all."""
    page = opened(owner, "/budgets")
    page.get_by_role("button", name="Create budget").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Project", exact=True).last.select_option(label="Default")
    dialog.get_by_label(re.compile("^Amount")).fill("2.5")
    dialog.get_by_role("button", name="Create budget").click()
    row = page.get_by_role("row").filter(has_text="Default")
    expect(row).to_contain_text("2.50")
    expect(row).to_contain_text("UTC")
    expect(row).to_contain_text("Nobody knows the price of made-up")
    page.get_by_label(re.compile("^Days, weeks")).select_option("Asia/Tokyo")
    expect(row).to_contain_text("Asia/Tokyo")
    expect(row.get_by_role("meter")).to_have_attribute("aria-valuenow", "0")


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_the_page_is_without_findings_at_360_px(opened, owner, member, language):
    """Nothing is cut off sideways, and axe finds nothing."""
    size = {"width": 360, "height": 780}
    page = opened(owner, "/budgets", viewport=size, locale=language)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    assert [] == violations_in_both_themes(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    pictured(page, f"budgets-{language}")


def test_a_member_makes_a_key_and_sees_no_other(opened, owner, member):
    """Theirs alone; what is not theirs to see is not in the navigation."""
    owner.key("others")
    page = opened(member, "/keys")
    expect(
        page.get_by_role("link", name=re.compile("^(Channels|Settings|Users|Nodes)$"))
    ).to_have_count(0)
    page.get_by_role("button", name="Create key").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("laptop")
    dialog.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_role("row").filter(has_text="laptop")).to_contain_text("member@example.org")
    expect(page.get_by_text("others")).to_have_count(0)
    assert [] == violations(page)
    pictured(page, "member-keys")


@pytest.mark.parametrize(
    "path", ["/", "/turns", "/sessions", "/playground", "/projects", "/budgets"]
)
def test_a_members_pages_fail_at_nothing(opened, member, path):
    """Nothing is asked for that they may not see."""
    page = opened(member, path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.get_by_text("does not have the permission")).to_have_count(0)
    expect(page.get_by_text("Your role")).to_have_count(0)


def test_a_member_sees_no_latency(opened, owner, member):
    """It is not kept by key, so nothing is said of it rather than that there was none."""
    for person, count in ((owner, 1), (member, 0)):
        page = opened(person, "/?model=gpt-5.5")  # with a filter all cards are there
        expect(page.get_by_role("heading", name="Over time", exact=True)).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        expect(page.get_by_role("heading", name="Latency", exact=True)).to_have_count(count)


def test_keys_say_whose_they_are(opened, owner, member):
    """And that their own budgets are those of UTC days."""
    page = opened(owner, "/keys?new=1")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Of UTC days and months")).to_be_visible()
    dialog.get_by_label("Name").fill("for-member")
    dialog.get_by_label("Person").select_option(label="member@example.org")
    dialog.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_role("row").filter(has_text="for-member")).to_contain_text(
        "member@example.org"
    )
    pictured(page, "owner-keys")
