"""Codex accounts sign in from the page: by a browser, a pasted address, a code, auth.json.

The issuer is the emulator's, and the browser goes there as a person's does.
"""

import json
import re
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import violations

ADA, BOB = "ada@example.org", "bob@example.org"
LOOK = "query($id: ID!) { codexSignIn(id: $id) { status } }"


@pytest.fixture
def channel(owner, stage):
    """The path of a new channel without an account; it is deleted afterwards."""
    backend = f"{stage.upstream}/backend-api/codex"
    made = owner.channel("codex", type="codex", apiKey=None, baseURL=backend, models=["codex"])
    yield f"/channels/{made['id']}/settings"
    told = owner.ask("query($id: ID!) { channel(id: $id) { revision } }", id=made["id"])["channel"]
    query = "mutation($id: ID!, $r: Int!) { deleteChannel(id: $id, revision: $r) }"
    owner.ask(query, id=made["id"], r=told["revision"])


def steer(stage, **wanted):
    """Tell the issuer what to do; returns its answer."""
    return httpx2.post(f"{stage.upstream}/_emulator/issuer", json=wanted).raise_for_status().json()


def dialog_of(page, way=None):
    """The dialog that adds an account, begun in a way, unless it is by file."""
    page.get_by_role("button", name="Add account").click()
    dialog = page.get_by_role("dialog")
    if way is not None:
        dialog.get_by_text(way, exact=True).click()
    return dialog


def begin(page, way):
    """A sign-in that is under way, and the address of its sign-in page."""
    dialog = dialog_of(page, way)
    dialog.get_by_role("button", name="Begin").click()
    link = dialog.get_by_role("link", name="Open the sign-in page")
    return dialog, link.get_attribute("href")


def sent_back(url):
    """Where the issuer sends a browser that goes to an address."""
    return httpx2.get(url, follow_redirects=False).headers["location"]


def asks(response, operation):
    """Whether a response answers an operation."""
    return operation in (response.request.post_data or "")


def leave(page):
    """Close the dialog, which gives its sign-ins up."""
    with page.expect_response(lambda each: asks(each, "cancelCodexSignIn")):
        page.keyboard.press("Escape")


def expect_account(page, email):
    """Wait for the account, and for its dialog to go."""
    expect(page.get_by_role("dialog")).to_have_count(0)
    row = page.get_by_role("listitem").filter(has_text=email)
    expect(row).to_contain_text("active")
    return row


def test_a_browser_comes_back_by_itself(opened, owner, channel):
    """The sign-in page ends at the gateway, and the dialog notices."""
    page = opened(owner, channel)
    dialog, _ = begin(page, "In the browser")
    expect(dialog.get_by_role("timer")).to_contain_text(re.compile(r"1[45] min .* left"))
    assert violations(page) == []
    with page.context.expect_page() as popup:
        dialog.get_by_role("link", name="Open the sign-in page").click()
    expect(popup.value.locator("body")).to_contain_text("is signed in. You may close this page.")
    row = expect_account(page, ADA)
    expect(row).to_contain_text("plus")
    assert violations(page) == []


def test_a_browser_elsewhere_ends_by_its_address(opened, owner, channel):
    """An address of something else is refused at its field; the right one signs in."""
    page = opened(owner, channel)
    dialog, url = begin(page, "In the browser")
    place = sent_back(f"{url}&login_hint={ADA}")
    field = dialog.get_by_label("The address the browser ended at")
    field.fill(place.replace("state=", "state=x"))
    dialog.get_by_role("button", name="Finish").click()
    expect(dialog).to_contain_text("belongs to another sign-in")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill(place)
    dialog.get_by_role("button", name="Finish").click()
    expect_account(page, ADA)


def test_a_refusal_in_the_browser_is_told(opened, owner, channel):
    """Nothing claims that an account is there; a new sign-in begins from the same dialog."""
    page = opened(owner, channel)
    dialog, url = begin(page, "In the browser")
    state = parse_qs(urlsplit(url).query)["state"][0]
    field = dialog.get_by_label("The address the browser ended at")
    field.fill(f"http://localhost/auth/callback?error=access_denied&state={state}")
    dialog.get_by_role("button", name="Finish").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The issuer refused: access_denied.")
    expect(page.get_by_text("The account is here.")).to_have_count(0)
    dialog.get_by_role("button", name="Begin anew").click()
    link = dialog.get_by_role("link", name="Open the sign-in page")
    expect(link).not_to_have_attribute("href", url)
    field.fill(sent_back(f"{link.get_attribute('href')}&login_hint={ADA}"))
    dialog.get_by_role("button", name="Finish").click()
    expect_account(page, ADA)


def test_a_code_is_typed_on_another_page(opened, owner, channel):
    """The code stands large, its time runs down, and approving it anywhere is noticed."""
    page = opened(owner, channel)
    dialog, _ = begin(page, "With a code")
    code = dialog.get_by_label("Code to enter").inner_text()
    assert re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}", code)
    timer = dialog.get_by_role("timer")
    before = timer.inner_text()
    expect(timer).not_to_have_text(before)
    assert violations(page) == []
    with page.context.expect_page() as popup:
        dialog.get_by_role("link", name="Open the sign-in page").click()
    popup.value.get_by_label("Code").fill(code)
    popup.value.get_by_label("Account").fill(BOB)
    popup.value.get_by_role("button", name="Approve").click()
    expect_account(page, BOB)


def test_an_issuer_that_fails_is_told(opened, owner, channel, stage):
    """No code can be had: the dialog says so and the next try goes well; other ways are free."""
    steer(stage, faults=[{"at": "usercode", "status": 403}])
    page = opened(owner, channel)
    dialog = dialog_of(page, "With a code")
    dialog.get_by_role("button", name="Begin").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_text("In the browser", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_count(0)
    dialog.get_by_text("With a code", exact=True).click()
    dialog.get_by_role("button", name="Begin").click()
    expect(dialog.get_by_label("Code to enter")).to_be_visible()
    leave(page)


def test_a_code_that_is_refused_is_told(opened, owner, channel, stage):
    """The issuer gives up on it: the dialog says why, and offers another."""
    page = opened(owner, channel)
    dialog, _ = begin(page, "With a code")
    first = dialog.get_by_label("Code to enter").inner_text()
    steer(stage, faults=[{"at": "poll", "status": 401, "code": "access_denied"}])
    expect(dialog.get_by_role("alert")).to_contain_text("access_denied")
    dialog.get_by_role("button", name="Begin anew").click()
    expect(dialog.get_by_label("Code to enter")).not_to_have_text(first)
    leave(page)


def test_time_that_is_over_is_told(opened, owner, channel):
    """After a quarter of an hour nothing waits any more; closing gives the sign-in up."""
    page = opened(owner, channel)
    page.clock.install()
    with page.expect_response(lambda each: asks(each, "startCodexSignIn")) as started:
        dialog, _ = begin(page, "With a code")
    page.clock.fast_forward("15:01")
    expect(dialog.get_by_role("alert")).to_contain_text("The time for this sign-in is over.")
    expect(dialog.get_by_role("button", name="Begin anew")).to_be_visible()
    made = started.value.json()["data"]["startCodexSignIn"]["id"]
    assert owner.ask(LOOK, id=made) == {"codexSignIn": {"status": "PENDING"}}
    leave(page)
    assert owner.ask(LOOK, id=made) == {"codexSignIn": {"status": "EXPIRED"}}


def test_a_file_is_pasted(opened, owner, channel, stage):
    """What is no auth.json is refused with its mend, and stays; the right one is an account."""
    page = opened(owner, channel)
    dialog = dialog_of(page, "From auth.json")
    field = dialog.get_by_label("Content of auth.json")
    field.fill('{"OPENAI_API_KEY": null}')
    dialog.get_by_role("button", name="Import").click()
    expect(dialog).to_contain_text("neither")
    expect(field).to_have_value('{"OPENAI_API_KEY": null}')
    assert violations(page) == []
    field.fill(json.dumps(steer(stage, sign_in=ADA)))
    dialog.get_by_role("button", name="Import").click()
    expect_account(page, ADA)


def test_an_account_is_renewed_switched_off_and_removed(opened, owner, channel, stage):
    """Each from its menu; a login that has ended says that it must sign in again."""
    page = opened(owner, channel)
    dialog = dialog_of(page, "From auth.json")
    dialog.get_by_label("Content of auth.json").fill(json.dumps(steer(stage, sign_in=ADA)))
    dialog.get_by_role("button", name="Import").click()
    row = expect_account(page, ADA)

    def act(name):
        row.get_by_role("button", name=re.compile("Actions")).click()
        page.get_by_role("menuitem", name=name).click()

    act("Renew the token now")
    expect(row).to_contain_text("token renewed")
    act("Turn off")
    expect(row).to_contain_text("off")
    act("Turn on")
    expect(row).to_contain_text("active")
    steer(stage, end=[ADA])
    act("Renew the token now")
    expect(row).to_contain_text("sign in again")
    expect(row).to_contain_text("refresh_token_invalidated")
    assert violations(page) == []
    act("Remove")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
