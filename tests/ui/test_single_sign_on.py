"""Signing in by a provider in a browser: over there and back, and what stops somebody."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.doubles.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider
from tests.ui.conftest import language, violations
from tests.ui.stage import free_port

_OIDC = """
[oidc]
issuer = "http://127.0.0.1:{port}"
client_id = "{id}"
client_secret = "{secret}"
label = "Sign in with Example"
only_oidc = true
roles = {{ ops = "admin", staff = "viewer" }}
"""
SHOTS = os.environ.get("LONGWIRE_SHOTS")


@pytest.fixture(scope="module")
def provider(stage, owner, tmp_path_factory):
    """A provider that the gateway sends people to."""
    port = free_port()
    text = _OIDC.format(port=port, id=CLIENT_ID, secret=CLIENT_SECRET)
    with stage.config.open("a", encoding="utf-8") as config:
        config.write(text)
    stage.gateway.stop()
    stage.start()
    running = OidcProvider(tmp_path_factory.mktemp("provider"), port, [stage.url])
    known = {"email_verified": True}
    running.person("ada", email="ada@example.org", name="Ada", groups=["ops"], **known)
    running.person("eve", email="eve@example.org", name="Eve", groups=["others"], **known)
    yield running
    running.stop()


def shoot(page, name):
    """Keep a picture, where somebody wants to look at one."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def go_there(page, subject):
    """Press the button, and sign in at the provider."""
    page.get_by_role("button", name="Sign in with Example").click()
    page.locator("input[name=login]").fill(subject)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Continue").click()


def test_in_and_out_by_the_provider(opened, provider, owner):
    """To the page that was wanted, without a password to change; and out of the provider, too."""
    page = opened(None, "/alerts")
    go_there(page, "ada")
    expect(page.get_by_role("heading", level=1, name="Alerts")).to_be_visible()
    expect(page.get_by_role("button", name="Change password")).to_have_count(0)

    people = opened(owner, "/users")
    row = people.get_by_role("row").filter(has_text="ada@example.org")
    expect(row.get_by_text("single sign-on")).to_be_visible()
    shoot(people, "users")

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_role("button", name="Sign in with Example")).to_be_visible()


def test_a_sign_in_that_ended_is_begun_again(opened, provider):
    """Over the page as it stands, by the provider, and back to it."""
    page = opened(None, "/users")
    go_there(page, "ada")
    expect(page.get_by_role("heading", level=1, name="Users")).to_be_visible()
    page.context.clear_cookies()
    # What the page asks for by itself may have opened the dialog before, over the link.
    page.get_by_role("link", name="Channels").dispatch_event("click")
    expect(page.get_by_role("dialog").get_by_label("Password")).to_have_count(0)
    go_there(page, "ada")
    expect(page.get_by_role("heading", level=1, name="Channels")).to_be_visible()


def test_who_may_not_come_in_is_told_why(opened, provider):
    """In words, with what to do, in both languages; axe finds nothing, on a phone either."""
    page = opened(None, "/sign-in", viewport={"width": 360, "height": 740})
    go_there(page, "eve")
    expect(page.get_by_text("You are in no group that may come in here.")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shoot(page, "no-group")
    with language(page, "zh-CN"):
        expect(page.get_by_text("您不在任何允许登录的组中。")).to_be_visible()
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert violations(page) == []
    shoot(page, "no-group-dark")


def test_the_owner_comes_in_while_the_provider_is_away(opened, stage, provider):
    """Which is said; a password stays the way in for an emergency, behind a line to open."""
    provider.stop()
    stage.gateway.stop()
    stage.start()
    page = opened(None, "/sign-in")
    page.get_by_role("button", name="Sign in with Example").click()
    expect(page.get_by_text("The sign-in service cannot be reached now.")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_hidden()
    page.get_by_text("Sign in with a password (owners)").click()
    page.get_by_label("Email").fill("owner@example.org")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
