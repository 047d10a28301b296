"""Settings: how long turns are kept, the configuration file, oneself, the looks."""

import re

import pytest
from playwright.sync_api import expect

from tests.ui.stage import PASSWORD

SETTINGS = "{ settings { turnDays bodyDays revision } }"
UPDATE = """mutation($revision: Int!, $i: SettingsInput!) {
    updateSettings(revision: $revision, input: $i) { revision } }"""


@pytest.fixture
def held(owner):
    """A function: what the gateway holds, after it was set to the defaults."""

    def now():
        return owner.ask(SETTINGS)["settings"]

    revision = now()["revision"]
    owner.ask(UPDATE, revision=revision, i={"turnDays": None, "bodyDays": None})
    return now


def saved(page):
    """Waits for the answer to a change of the settings."""
    return page.expect_response(lambda told: "updateSettings" in (told.request.post_data or ""))


def days(page, name):
    """The field of a number of days."""
    return page.get_by_label(f"Days for {name}")


def test_keeping_more_is_undone_and_keeping_less_is_asked(opened, owner, held):
    """Longer is saved at once and undone from its message; shorter only after a question."""
    page = opened(owner, "/settings")
    save = page.get_by_role("button", name="Save", exact=True)
    days(page, "turns").fill("60")
    save.click()
    with saved(page):
        page.get_by_role("button", name="Undo").click()
    expect(days(page, "turns")).to_have_value("30")
    expect(save).to_be_disabled()
    assert held()["turnDays"] == 30
    days(page, "turns").fill("10")
    save.click()
    page.get_by_role("dialog", name="Keep less?").get_by_role("button", name="Cancel").click()
    assert held()["turnDays"] == 30
    save.click()
    with saved(page):
        page.get_by_role("dialog").get_by_role("button", name="Keep less").click()
    expect(save).to_be_disabled()
    assert held()["turnDays"] == 10


def test_what_cannot_be_is_told_at_its_field(opened, owner, held):
    """Bodies that outlive their turns are refused at their field; what was typed stays."""
    page = opened(owner, "/settings")
    days(page, "bodies").fill("90")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(days(page, "bodies")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("bodies cannot stay longer than their turns").first).to_be_visible()
    expect(page.get_by_text("bodyDays")).to_have_count(0)
    expect(days(page, "bodies")).to_have_value("90")
    assert held()["bodyDays"] == 3


def test_settings_that_changed_meanwhile(opened, owner, held):
    """Both versions are shown; taking theirs puts it into the form."""
    page = opened(owner, "/settings")
    days(page, "turns").fill("45")
    owner.ask(UPDATE, revision=held()["revision"], i={"turnDays": 50})
    page.get_by_role("button", name="Save", exact=True).click()
    conflict = page.get_by_role("dialog", name="Somebody was faster")
    expect(conflict.get_by_role("row", name="Days for turns 50 45")).to_be_visible()
    conflict.get_by_role("button", name="Take theirs").click()
    expect(days(page, "turns")).to_have_value("50")


def test_the_file_is_read_again(opened, owner, stage, held):
    """Reading it tells what it declares; a bad one tells the reason, and changes nothing."""
    good = stage.config.read_text(encoding="utf-8")
    page = opened(owner, "/settings")
    expect(page.get_by_text(str(stage.config))).to_be_visible()
    read = page.get_by_role("button", name="Read it again")
    declared = (
        f'{good}\n[[channels]]\nname = "filed"\nbase_url = "{stage.upstream}/v1"\napi_key = "sk"\n'
    )
    try:
        stage.config.write_text(declared, encoding="utf-8")
        read.click()
        expect(page.get_by_text("Declared in it: channels 1, keys 0.")).to_be_visible()
        stage.config.write_text(f"{declared}colour = 1\n", encoding="utf-8")
        read.click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("colour")
        expect(page.get_by_text("Nothing has changed")).to_be_visible()
        page.goto("/channels")
        expect(page.get_by_role("row", name=re.compile("filed"))).to_be_visible()
    finally:
        stage.config.write_text(good, encoding="utf-8")


def test_a_new_password_ends_other_sign_ins(opened, owner, stage):
    """A wrong current password is told at its field; a new one keeps this page and ends others."""
    person = stage.join(owner.invite("VIEWER"), "self@example.org")
    page = opened(person, "/settings")
    page.get_by_role("main").get_by_role("button", name="Change password").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Current password").fill("not the right one")
    dialog.get_by_label("New password").fill("another long password")
    dialog.get_by_role("button", name="Change password").click()
    expect(dialog.get_by_label("Current password")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Current password").fill(PASSWORD)
    dialog.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your other sign-ins have ended.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", level=1, name="Settings")).to_be_visible()
    assert person.ask("{ me { user { id } } }")["me"] is None


def test_looks_and_language_are_kept(opened, owner):
    """Theme and language change at once, and are there again after a reload."""
    page = opened(owner, "/settings")
    page.get_by_text("Dark", exact=True).click()
    page.get_by_role("main").get_by_text("中文", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="设置")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", level=1, name="设置")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_a_viewer_reads_settings(opened, owner, stage):
    """A viewer reads how long turns are kept, and may change nothing but themselves."""
    viewer = stage.join(owner.invite("VIEWER"), "reader@example.org")
    page = opened(viewer, "/settings")
    expect(page.get_by_text("Days for turns")).to_be_visible()
    for name in ("Save", "Read it again"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    expect(page.get_by_role("spinbutton")).to_have_count(0)
    expect(page.get_by_role("main").get_by_role("button", name="Change password")).to_be_visible()
