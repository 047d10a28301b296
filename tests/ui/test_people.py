"""People and projects: invited, made, changed, kept out; and what a viewer is shown of it all."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ui.stage import PASSWORD

UPDATE = """mutation($id: ID!, $revision: Int!, $i: UpdateUserInput!) {
    updateUser(id: $id, revision: $revision, input: $i) { id } }"""
CREATE = "mutation($i: CreateUserInput!) { createUser(input: $i) { id revision } }"
PROJECT = "mutation($i: ProjectInput!) { createProject(input: $i) { id revision } }"
LANGUAGES = Path(__file__).parents[2] / "ui/src/features/projects"
MEMBER = "mutation($p: ID!, $u: ID!) { addUserToProject(projectID: $p, userID: $u) { id } }"


@pytest.fixture(scope="module")
def make(owner):
    """A function: makes a user; gives their id and revision."""

    def create(email, role="VIEWER"):
        given = {"email": email, "role": role, "password": PASSWORD}
        return owner.ask(CREATE, i=given)["createUser"]

    return create


def act(page, name, action):
    """Choose an action of the menu of a row."""
    page.get_by_role("button", name=f"Actions: {name}").click()
    page.get_by_role("menuitem", name=action, exact=True).click()


def test_who_is_invited_comes_in_by_the_link(opened, owner):
    """An invitation's link is shown once and lets one person in, who then stands in the list."""
    page = opened(owner, "/users")
    page.get_by_role("button", name="Invite", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Email").fill("barbara@example.org")
    dialog.get_by_role("button", name="Make the invitation").click()
    link = page.get_by_test_id("link").inner_text()
    token = page.get_by_test_id("token").inner_text()
    assert link.endswith(f"/join#{token}")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_text(token)).to_have_count(0)
    invitations = page.get_by_role("table", name="Open invitations")
    expect(invitations.get_by_text("barbara@example.org")).to_be_visible()

    guest = opened(None, link)
    guest.get_by_label("Email").fill("barbara@example.org")
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Accept the invitation").click()
    expect(guest.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    assert token not in guest.url

    page.reload()
    expect(page.get_by_role("button", name="barbara@example.org", exact=True)).to_be_visible()
    expect(page.get_by_text("None is open.")).to_be_visible()


def test_an_invitation_is_revoked(opened, owner, stage):
    """A revoked invitation leaves the list, and its token lets nobody in."""
    token = owner.invite("ADMIN")
    page = opened(owner, "/users")
    page.get_by_role("button", name="Revoke: whoever has the link").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("None is open.")).to_be_visible()
    guest = opened(None, f"/join#{token}")
    guest.get_by_label("Email").fill("late@example.org")
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Accept the invitation").click()
    expect(guest.get_by_text(re.compile("not good")).first).to_be_visible()


def test_a_user_is_made_with_a_password_that_is_made_up(opened, owner):
    """The password that the page makes up is shown, and signs them in; a taken email is told."""
    page = opened(owner, "/users?new=user")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Email").fill("grace@example.org")
    dialog.get_by_text("Admin", exact=True).click()
    dialog.get_by_role("button", name="Make one up").click()
    password = dialog.get_by_label("Password").input_value()
    dialog.get_by_role("button", name="Create user").click()
    expect(page.get_by_role("button", name="grace@example.org", exact=True)).to_be_visible()

    guest = opened(None, "/sign-in")
    guest.get_by_label("Email").fill("grace@example.org")
    guest.get_by_label("Password").fill(password)
    guest.get_by_role("button", name="Sign in").click()
    expect(guest.get_by_role("heading", level=1, name="Overview")).to_be_visible()

    page.goto("/users?new=user")
    dialog.get_by_label("Email").fill("grace@example.org")
    dialog.get_by_role("button", name="Make one up").click()
    dialog.get_by_role("button", name="Create user").click()
    expect(dialog.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("Email")).to_have_value("grace@example.org")


def test_a_form_outlives_a_reload_without_its_password(opened, owner):
    """What was typed is there again after a reload; the password never touched storage."""
    page = opened(owner, "/users?new=user")
    page.get_by_label("Email").fill("half@example.org")
    page.get_by_label("Password").fill("typed but secret")
    page.reload()
    expect(page.get_by_label("Email")).to_have_value("half@example.org")
    expect(page.get_by_label("Password")).to_have_value("")
    assert "secret" not in page.evaluate("JSON.stringify(sessionStorage)")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_label("Email")).to_have_value("")


def test_who_was_faster_is_shown_beside_ones_own(opened, owner, make):
    """A change that somebody else saved meanwhile is shown field by field, and nothing is lost."""
    made = make("emmy@example.org")
    page = opened(owner, f"/users?user={made['id']}")
    dialog = page.get_by_role("dialog").first
    dialog.get_by_label("Name").fill("Emmy")
    owner.ask(UPDATE, **made, i={"name": "Amalie"})
    dialog.get_by_role("button", name="Save").click()
    conflict = page.get_by_role("dialog", name="Somebody was faster")
    expect(conflict.get_by_role("row", name="Name Amalie Emmy")).to_be_visible()
    conflict.get_by_role("button", name="Back to the form").click()
    expect(dialog.get_by_label("Name")).to_have_value("Emmy")
    dialog.get_by_role("button", name="Save").click()
    conflict.get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_role("row", name=re.compile("emmy@example.org Emmy"))).to_be_visible()


def test_somebody_is_disabled_and_brought_back(opened, owner, make):
    """Disabling is undone from its message; deleting says what follows, then does it."""
    make("alan@example.org")
    page = opened(owner, "/users")
    row = page.get_by_role("row", name=re.compile("alan@example.org"))
    act(page, "alan@example.org", "Disable")
    expect(row).to_contain_text("disabled")
    page.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("active")
    act(page, "alan@example.org", "Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("stays in the audit log")
    dialog.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_the_last_owner_stays(opened, owner):
    """The last owner cannot make themselves less; the reason is told, the form keeps its values."""
    page = opened(owner, "/users")
    page.get_by_role("button", name="owner@example.org", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Viewer", exact=True).click()
    expect(dialog).to_contain_text("This is you")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("last active owner")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Actions: owner@example.org").click()
    expect(page.get_by_role("menuitem")).to_have_text(["Edit"])


def test_an_admin_sees_owners_and_no_way_to_change_them(opened, owner, stage):
    """To an admin an owner is a name without a menu, and no role to give."""
    admin = stage.join(owner.invite("ADMIN"), "admin@example.org")
    page = opened(admin, "/users")
    expect(page.get_by_role("row", name=re.compile("owner@example.org"))).to_be_visible()
    expect(page.get_by_role("button", name="owner@example.org")).to_have_count(0)
    page.get_by_role("button", name="Invite", exact=True).click()
    roles = page.get_by_role("dialog").get_by_role("radio")
    assert [each.get_attribute("value") for each in roles.all()] == ["MEMBER", "VIEWER", "ADMIN"]


def test_a_menu_in_a_table_is_whole(opened, owner, make):
    """The menu of the last row is in sight and reached by keys alone, though its table scrolls."""
    make("zoe@example.org")
    page = opened(owner, "/users", viewport={"width": 360, "height": 640})
    button = page.get_by_role("button", name="Actions: zoe@example.org")
    button.scroll_into_view_if_needed()
    button.press("Enter")
    page.keyboard.press("ArrowUp")
    last = page.get_by_role("menuitem", name="Delete")
    expect(last).to_be_focused()
    expect(last).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(last).to_have_count(0)


def test_a_project_and_its_members(opened, owner, make):
    """A project is made, gets a member, is archived and brought back; each step can be undone."""
    make("noether@example.org")
    page = opened(owner, "/projects?new=1")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Paper research")
    dialog.get_by_role("button", name="Create project").click()
    expect(dialog.get_by_role("heading", name="Paper research")).to_be_visible()
    dialog.get_by_label("Add somebody").select_option(label="noether@example.org · Viewer")
    dialog.get_by_role("button", name="Add", exact=True).click()
    remove = dialog.get_by_role("button", name="Remove noether@example.org")
    expect(remove).to_be_visible()
    remove.click()
    expect(remove).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").last.click()
    row = page.get_by_role("row", name=re.compile("Paper research"))
    expect(row.get_by_role("cell").nth(2)).to_have_text("1")
    act(page, "Paper research", "Archive")
    expect(row).to_contain_text("archived")
    page.get_by_role("button", name="Undo").last.click()
    expect(row).to_contain_text("active")


BOUNDS = """query { projects { nodes { name memberBounds {
    models rates { requestsPerMinute } budgets { costPerDay tokensPerDay } } } } }"""


@pytest.mark.parametrize(("language", "rate"), [("en", 60), ("zh-CN", 61)])
def test_what_keys_of_members_may_have_is_written_in_the_project(opened, owner, language, rate):
    """Models, rates and budgets, in either language; an empty one is no bound."""
    words = json.loads((LANGUAGES / f"{language}.json").read_text(encoding="utf-8"))
    page = opened(owner, "/projects?project=prj_default", locale=language)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name=words["memberBounds"])).to_be_visible()
    dialog.get_by_label(words["models"]).fill("gpt-5-*\ngpt-4.1")
    numbers = dialog.get_by_role("spinbutton")
    numbers.nth(0).fill(str(rate))
    numbers.nth(5).fill("2.5")
    with page.expect_response(lambda sent: "UpdateProject" in (sent.request.post_data or "")):
        dialog.locator("button[type=submit]").first.click()
    (bounds,) = (
        each["memberBounds"]
        for each in owner.ask(BOUNDS)["projects"]["nodes"]
        if each["name"] == "Default"
    )
    assert {
        "models": ["gpt-5-*", "gpt-4.1"],
        "rates": {"requestsPerMinute": rate},
        "budgets": {"costPerDay": 2.5, "tokensPerDay": None},
    } == bounds


def test_a_project_with_keys_is_not_deleted(opened, owner):
    """Deleting a project that has keys offers to archive it; one without goes, after a question."""
    full = owner.ask(PROJECT, i={"name": "Full"})["createProject"]
    owner.ask(PROJECT, i={"name": "Bare"})
    owner.key("within", projectID=full["id"])
    page = opened(owner, "/projects")
    row = page.get_by_role("row", name=re.compile("Full"))
    expect(row.get_by_role("link", name="Keys of Full")).to_have_text("1")
    act(page, "Full", "Delete")
    dialog = page.get_by_role("dialog", name="Full still has keys")
    dialog.get_by_role("button", name="Archive it instead").click()
    expect(row).to_contain_text("archived")
    act(page, "Bare", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name=re.compile("Bare"))).to_have_count(0)
    row.get_by_role("link", name="Keys of Full").click()
    expect(page.get_by_role("row", name=re.compile("within"))).to_be_visible()
    assert f"project={full['id']}" in page.url


def test_a_viewer_sees_no_way_to_change(opened, owner, stage):
    """A viewer sees their own projects alone, no people, no audit, and no button that changes."""
    own = owner.ask(PROJECT, i={"name": "Mine"})["createProject"]
    owner.ask(PROJECT, i={"name": "Of others"})
    viewer = stage.join(owner.invite("VIEWER"), "viewer@example.org")
    me = viewer.ask("{ me { user { id } } }")["me"]["user"]["id"]
    page = opened(viewer, "/projects")
    expect(page.get_by_text("You belong to none yet")).to_be_visible()
    owner.ask(MEMBER, p=own["id"], u=me)
    page.reload()
    expect(page.get_by_role("row", name=re.compile("Mine"))).to_be_visible()
    expect(page.get_by_text("Of others")).to_have_count(0)
    main = page.get_by_role("main")
    expect(main.get_by_role("button")).to_have_count(0)
    places = page.get_by_role("navigation", name="Navigation")
    expect(places.get_by_role("link", name="Settings")).to_be_visible()
    for name in ("Users", "Audit"):
        expect(places.get_by_role("link", name=name)).to_have_count(0)
    page.goto(f"/projects?project={own['id']}")
    expect(page.get_by_role("row", name=re.compile("Mine"))).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto("/users")
    expect(page.get_by_role("alert").first).to_contain_text("Your role does not allow this")
    expect(page.get_by_role("main").get_by_role("button", name="Invite")).to_have_count(0)
