"""When things go wrong: nothing typed is lost, and the page says what is going on."""

import re

import pytest
from playwright.sync_api import expect

from tests.ui.stage import PASSWORD

SIGN_OUT = "mutation { signOut }"


@pytest.fixture
def channel(owner, request):
    """A channel of this test's own."""
    name = re.sub(r"[^a-z]+", "-", request.node.name)[:60]
    return {"name": name, **owner.channel(name)}


def test_two_browsers_edit_one_channel(opened, owner, channel):
    """The slower one sees both versions field by field, and saves theirs over it on purpose."""
    path = f"/channels/{channel['id']}/settings"
    first, second = opened(owner, path), opened(owner, path)
    for page, url in ((first, "https://first.example/v1"), (second, "https://second.example/v1")):
        expect(page.get_by_label("Name", exact=True)).to_have_value(channel["name"])
        page.get_by_label("Base URL").first.fill(url)
    second.get_by_label("Models, one a line").fill("only-second")
    first.get_by_role("button", name="Save").click()
    expect(first.get_by_text("Saved.")).to_be_visible()
    second.get_by_role("button", name="Save").click()
    dialog = second.get_by_role("dialog", name="Somebody was faster")
    base = dialog.get_by_role("row", name=re.compile("Base URL"))
    expect(base.get_by_role("cell").nth(0)).to_have_text("https://first.example/v1")
    expect(base.get_by_role("cell").nth(1)).to_have_text("https://second.example/v1")
    expect(dialog.get_by_role("row", name=re.compile("Models"))).to_contain_text("only-second")
    dialog.get_by_role("button", name="Back to the form").click()
    expect(second.get_by_label("Base URL").first).to_have_value("https://second.example/v1")
    second.get_by_role("button", name="Save").click()
    dialog.get_by_role("button", name="Save mine over it").click()
    expect(second.get_by_text("Saved.")).to_be_visible()
    first.reload()
    expect(first.get_by_label("Base URL").first).to_have_value("https://second.example/v1")


def test_a_sign_in_ends_while_a_form_is_open(opened, stage, owner, channel):
    """Signing in again happens over the form; then it is saved as it was typed."""
    token = owner.invite("ADMIN")
    somebody = stage.join(token, "somebody@example.org")
    page = opened(somebody, f"/channels/{channel['id']}/settings")
    expect(page.get_by_label("Name", exact=True)).to_have_value(channel["name"])
    expect(page.get_by_role("region", name="Responses", exact=True)).to_contain_text("dials")
    somebody.ask(SIGN_OUT)
    page.get_by_label("Models, one a line").fill("typed-before")
    page.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog", name="Your sign-in has ended")
    expect(dialog.get_by_label("Email")).to_have_value("somebody@example.org")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("Models, one a line")).to_have_value("typed-before")
    page.reload()
    expect(page.get_by_label("Models, one a line")).to_have_value("typed-before")


def test_the_gateway_restarts(opened, stage, owner, channel):
    """The live view says that it waits and is live again by itself; a form keeps what was typed."""
    key = owner.key("restart")
    stage.turn(key, "before", "before-the-restart")
    live = opened(owner, "/sessions")
    expect(live.get_by_role("row", name=re.compile("before-the-restart"))).to_be_visible()
    form = opened(owner, f"/channels/{channel['id']}/settings")
    form.get_by_label("Models, one a line").fill("gpt-5.2\ntyped-meanwhile")
    stage.gateway.stop()
    expect(live.get_by_text("The gateway does not answer.")).to_be_visible()
    expect(live.get_by_text("reconnecting")).to_be_visible()
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("Check that it runs")
    expect(form.get_by_label("Models, one a line")).to_have_value("gpt-5.2\ntyped-meanwhile")
    stage.start()
    expect(live.get_by_text("●live", exact=True)).to_be_visible(timeout=30_000)
    expect(live.get_by_role("row", name=re.compile("before-the-restart"))).to_have_count(0)
    expect(live.get_by_text("The gateway does not answer.")).to_have_count(0)
    stage.turn(key, "after", "after-the-restart")
    expect(live.get_by_role("row", name=re.compile("after-the-restart"))).to_be_visible()
    expect(form.get_by_text("The gateway does not answer. It is")).to_have_count(0)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Saved.")).to_be_visible()


def test_a_reload_loses_nothing_but_secrets(opened, owner):
    """What was typed comes back after a reload; a secret was never written down."""
    page = opened(owner, "/channels/new")
    page.get_by_label("Name", exact=True).fill("half-done")
    page.get_by_label("Key of the upstream").fill("sk-planted-secret")
    page.get_by_label("Models, one a line").fill("a-model")
    expect(page.get_by_role("region", name="Responses", exact=True)).to_contain_text("dials")
    stored = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert "a-model" in stored
    assert "sk-planted-secret" not in stored
    page.reload()
    expect(page.get_by_text("What you had typed before is here again.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("half-done")
    expect(page.get_by_label("Models, one a line")).to_have_value("a-model")
    expect(page.get_by_label("Key of the upstream")).to_have_value("")


def test_a_slow_network_is_told(opened, owner):
    """An answer that takes its time is waited for, and the page says so; then it is there."""
    page = opened(owner, "/projects")
    expect(page.get_by_role("heading", level=1)).to_have_text("Projects")
    wire = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 4_000, "downloadThroughput": -1, "uploadThroughput": -1}
    wire.send("Network.enable")
    wire.send("Network.emulateNetworkConditions", slow)
    page.get_by_role("button", name="Create project").click()
    page.get_by_label("Name", exact=True).fill("slowly")
    page.get_by_role("dialog").get_by_role("button", name="Create project").click()
    expect(page.get_by_text("Still waiting for an answer")).to_be_attached()
    expect(page.get_by_role("dialog").get_by_role("button", name="Create project")).to_be_disabled()
    expect(page.get_by_role("button", name="slowly", exact=True)).to_be_visible(timeout=40_000)
    wire.send("Network.emulateNetworkConditions", {**slow, "latency": 0})
    expect(page.get_by_text("Still waiting for an answer")).to_have_count(0)
