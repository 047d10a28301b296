"""An operator of a team behind a proxy: from the door to each answer that they came for.

The other walks: `test_first_run.py` of a newcomer, `test_phone_walk.py` by keyboard on a phone.
"""

import re
import time

import httpx2
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import violations
from tests.ui.stage import MODELS, OWNER, PASSWORD, WATCHED, Process, Stage
from tests.ui.test_alerts import Receiver

ADA = "ada@example.org"
HERE, ELSEWHERE = "203.0.113.7", "198.51.100.66"
LIMITED = "sk-upstream-limited-2222"
FAULT = {"at": "handshake", "act": "refuse", "times": 0, "key": LIMITED, "status": 429}
SEALED = "reasoning.encrypted_content"
LITELLM = """model_list:
  - model_name: imported
    litellm_params: {{model: openai/gpt-5.5, api_base: "{upstream}/v1", api_key: sk-litellm}}
"""
SIGN_IN = "mutation($i: SignInInput!) { signIn(input: $i) { id } }"
PROJECT = "mutation($i: ProjectInput!) { createProject(input: $i) { id } }"
USER = "mutation($i: CreateUserInput!) { createUser(input: $i) { id } }"
MEMBER = "mutation($p: ID!, $u: ID!) { addUserToProject(projectID: $p, userID: $u) { id } }"
MODEL = "mutation($i: ModelInput!) { createModel(input: $i) { id } }"
ADD_KEY = """mutation($id: ID!, $revision: Int!, $key: String!, $input: ChannelKeyInput) {
    addChannelKey(channelID: $id, revision: $revision, key: $key, input: $input) { id } }"""
DESTINATION = """mutation($i: AlertDestinationInput!) {
    createAlertDestination(input: $i) { destination { id } } }"""
SOME_MONEY = re.compile(r"\$0\.0*[1-9]\d*")


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A gateway that trusts the proxy on its machine."""
    folder = tmp_path_factory.mktemp("operator")
    running = Stage(folder, server='trusted_proxies = ["127.0.0.1"]\n', sections=WATCHED)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def receiver():
    """Who is told of alerts."""
    running = Receiver()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture(scope="module")
def keys(stage, owner, receiver):
    """A team's gateway: two projects, three channels, a model of two targets; keys by name."""
    research = owner.ask(PROJECT, i={"name": "research"})["createProject"]["id"]
    ada = {"email": ADA, "password": PASSWORD, "role": "MEMBER"}
    user = owner.ask(USER, i=ada)["createUser"]["id"]
    owner.ask(MEMBER, p="prj_default", u=user)
    pair = owner.channel("pair", transport="http", models=["gpt-5.1"])
    owner.ask(ADD_KEY, **pair, key=LIMITED, input={"label": "team b", "weight": 1_000})
    first, second = (
        owner.channel(name, models=[model])["id"]
        for name, model in zip(("first", "second"), MODELS, strict=True)
    )
    targets = [
        {"channel": first, "model": MODELS[0], "condition": {"hasTools": True}},
        {"channel": second, "model": MODELS[1]},
    ]
    owner.ask(MODEL, i={"name": "smart", "targets": targets})
    owner.ask(DESTINATION, i={"name": "ops", "kind": "WEBHOOK", "url": receiver.url})
    return {
        "ci": owner.key("ci", projectID=research),
        "ada-laptop": owner.key("ada-laptop", userID=user),
    }


def ask(stage, key, model, session="", past=()):
    """Send a turn; returns the answer."""
    headers = {"authorization": f"Bearer {key}", **({"session-id": session} if session else {})}
    question = {"type": "message", "role": "user", "content": f"question {len(past)}"}
    body = {"model": model, "input": [*past, question], "store": False, "include": [SEALED]}
    return httpx2.post(f"{stage.url}/v1/responses", json=body, headers=headers, timeout=30)


def logged(owner, answer):
    """Wait until the log has the turn; returns the id of its request."""
    request = answer.headers["x-request-id"]
    owner.logged(1, requestID=request)
    return request


def arrived(owner, receiver):
    """Wait until the alert of the budget has arrived, as the gateway knows; returns what came."""
    for _ in range(100):
        alerts = owner.ask("{ alerts { nodes { deliveries { status } } } }")["alerts"]["nodes"]
        if [{"deliveries": [{"status": "DELIVERED"}]}] == alerts:
            return receiver.bodies[0]
        time.sleep(0.1)
    raise AssertionError(alerts)


def go(page, place):
    """Go to a place by the navigation."""
    navigation = page.get_by_role("navigation", name="Navigation")
    navigation.get_by_role("link", name=re.compile(rf"^{place}\b")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(place)


def fits_a_phone(page):
    """What is shown is no wider than a phone, and axe finds nothing there."""
    size = page.viewport_size
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert [] == violations(page)
    page.set_viewport_size(size)


def row(page, text):
    """The row of a table that has a text."""
    return page.get_by_role("row").filter(has_text=text)


def test_an_operator_finds_each_answer(opened, stage, owner, keys, receiver):
    """Who is at the door, what rests and why, why there, what warns, whose money, what changed."""
    page = coming_in_while_somebody_guesses(opened, stage)
    litellm_is_taken_over(page, stage, keys["ci"])
    a_key_says_since_and_until_when_it_rests(page, stage, keys["ci"])
    a_quoted_request_says_why_it_went_there(page, stage, owner, keys["ci"])
    a_budget_warns(page, stage, owner, keys["ci"], receiver)
    people_and_projects_have_a_cost(page, stage, owner, keys["ada-laptop"])
    reasons_are_split_and_filtered(page)
    a_session_runs_over_two_channels(page, stage, owner, keys["ci"])
    what_nobody_served_saves_nothing(page, stage, owner, keys["ci"])
    go(page, "Audit")
    entry = page.get_by_test_id("entry").filter(has_text="budget").first
    expect(entry).to_contain_text(HERE)


def coming_in_while_somebody_guesses(opened, stage):
    """Who guesses must wait; whoever comes through the same proxy from elsewhere need not."""
    wrong = {"i": {"email": OWNER, "password": "not the password"}}
    headers = {"x-longwire-csrf": "1", "x-forwarded-for": ELSEWHERE}
    codes = [
        httpx2.post(
            f"{stage.url}/admin/graphql",
            json={"query": SIGN_IN, "variables": wrong},
            headers=headers,
            timeout=30,
        ).json()["errors"][0]["extensions"]["code"]
        for _ in range(11)
    ]
    assert ["INVALID"] * 10 + ["LIMIT"] == codes
    page = opened(
        None,
        "/",
        extra_http_headers={"x-forwarded-for": HERE},
        permissions=["clipboard-read", "clipboard-write"],
    )
    page.get_by_label("Email").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    return page


def litellm_is_taken_over(page, stage, key):
    """One command makes of its file what the page shows and callers are served by."""
    file = stage.folder / "litellm.yaml"
    file.write_text(LITELLM.format(upstream=stage.upstream), encoding="utf-8")
    words = ("import", "litellm", str(file), "--apply", "--force", "--config", str(stage.config))
    assert 0 == Process(stage.folder, "import", *words).process.wait(60)
    go(page, "Models")
    expect(row(page, "imported").get_by_text("sound").first).to_be_visible()
    assert 200 == ask(stage, key, "imported").status_code


def a_key_says_since_and_until_when_it_rests(page, stage, key):
    """One of two keys is limited: the other serves, and the channel says which rests, and why."""
    fault = {**FAULT, "headers": {"retry-after": "600"}}
    httpx2.post(f"{stage.upstream}/_emulator/faults", json=[fault]).raise_for_status()
    assert 200 == ask(stage, key, "gpt-5.1").status_code
    go(page, "Channels")
    page.get_by_role("link", name="pair").click()
    state = page.locator("section").filter(has_text="Last error").first
    expect(state).to_contain_text("Turns go there.")
    expect(state).to_contain_text("1 of 2 keys rests:team b …2222")
    rests = re.compile(r"\(Retry-After\)\. · Since .+ · Tried again in (9|10) min")
    expect(state).to_contain_text(rests)
    expect(state).to_contain_text(re.compile("Last error.* · 429 "))
    fits_a_phone(page)
    tabs = page.get_by_role("navigation", name="Parts of the channel")
    tabs.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("listitem").filter(has_text="team b")).to_contain_text(rests)
    fits_a_phone(page)


def a_quoted_request_says_why_it_went_there(page, stage, owner, key):
    """Its id is pasted; its turn names each target, and why it was taken or not."""
    request = logged(owner, ask(stage, key, "smart"))
    page.evaluate("text => navigator.clipboard.writeText(text)", request)
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("combobox").focus()
    page.keyboard.press("Control+v")
    expect(page).to_have_url(re.compile(r"/turns\?open="))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(request)
    dialog.get_by_role("button", name="Explain").click()
    steps = dialog.get_by_role("region", name="Why it went there").get_by_role("listitem")
    expect(steps.filter(has_text="second")).to_contain_text("Comes first.")
    expect(steps.filter(has_text="first").last).to_contain_text("Its condition is not met. (tools)")
    page.keyboard.press("Escape")


def a_budget_warns(page, stage, owner, key, receiver):
    """It is made in the page, refuses nobody, and its alert stands there and has arrived."""
    go(page, "Budgets")
    page.get_by_role("button", name="Create budget").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Key", exact=True).click()
    dialog.get_by_role("combobox", name="Key").select_option(label="ci")
    dialog.get_by_text("tokens", exact=True).click()
    dialog.get_by_label(re.compile("^Amount")).fill("10")
    dialog.get_by_text("only warn").click()
    dialog.get_by_role("button", name="Create budget").click()
    expect(row(page, "ci").get_by_role("meter")).to_have_attribute("aria-valuenow", "100")
    assert 200 == ask(stage, key, MODELS[0]).status_code
    message = arrived(owner, receiver)
    assert "alert.fired" == message["type"]
    assert "key ci, tokens" in message["data"]["label"]
    go(page, "Alerts")
    history = page.get_by_role("table", name="What was and what lasts")
    alert = history.get_by_role("row").filter(has_text="of the budget is spent")
    expect(alert).to_contain_text("Key ci, tokens a month")
    expect(alert).to_contain_text("arrived")


def people_and_projects_have_a_cost(page, stage, owner, key):
    """A person's at their key, and in the overview, which splits by project, too, and filters."""
    logged(owner, ask(stage, key, MODELS[0]))
    go(page, "API keys")
    own = row(page, "ada-laptop")
    expect(own).to_contain_text(ADA)
    expect(own).to_contain_text(re.compile(rf"{SOME_MONEY.pattern} this month"))
    go(page, "Overview")
    page.get_by_label("Split by").select_option("USER")
    people = page.get_by_role("table", name="By person")
    expect(people.get_by_role("row").filter(has_text=ADA)).to_contain_text(SOME_MONEY)
    page.get_by_label("Split by").select_option("PROJECT")
    projects = page.get_by_role("table", name="By project").get_by_role("row")
    for name in ("research", "Default"):
        expect(projects.filter(has_text=name)).to_contain_text(SOME_MONEY)
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Any project").select_option(label="research")
    expect(projects.filter(has_text="Default")).to_have_count(0)
    expect(projects.filter(has_text="research")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()


def reasons_are_split_and_filtered(page):
    """The overview counts each reason; the name of one leads to its turns."""
    page.get_by_label("Split by").select_option("REASON")
    reasons = page.get_by_role("table", name="By reason")
    expect(reasons).to_contain_text("translated")
    reasons.get_by_role("link", name="new session").click()
    expect(page.get_by_label("Reason", exact=True)).to_have_value("new_session")
    turns = page.get_by_role("table", name="Turns").get_by_role("row")
    expect(turns.filter(has_text="new session").first).to_be_visible()
    expect(turns.filter(has_text="translated")).to_have_count(0)


def a_session_runs_over_two_channels(page, stage, owner, key):
    """One agent's run is one page: each turn, both channels, and what it cost."""
    past = []
    for model in (*MODELS, *MODELS):
        answer = ask(stage, key, model, "run-seven", past)
        assert 200 == answer.status_code, answer.text
        past = [*past, {"type": "message", "role": "user", "content": f"question {len(past)}"}]
        past += answer.json()["output"]
    logged(owner, answer)
    go(page, "Sessions")
    page.get_by_text("All sessions", exact=True).first.click()
    page.get_by_role("link", name="run-seven").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Session")
    turns = page.get_by_role("table", name="Turn by turn")
    expect(turns.get_by_role("link")).to_have_count(4)
    expect(turns).to_contain_text(f"{MODELS[0]} · first")
    expect(turns).to_contain_text(f"{MODELS[1]} · second")
    expect(page.get_by_role("definition").filter(has_text="$").first).not_to_have_text("$0.00")


def what_nobody_served_saves_nothing(page, stage, owner, key):
    """A megabyte that was refused moves no figure of what was saved, and has a name."""
    go(page, "Overview")
    page.reload()
    saved = page.get_by_role("listitem").filter(has_text=re.compile("^Not resent"))
    expect(saved).not_to_contain_text("Not resent0 B")
    before = saved.inner_text()
    large = {"type": "message", "role": "user", "content": "x" * 1_000_000}
    refused = ask(stage, key, "gone", past=[large])
    assert 404 == refused.status_code
    logged(owner, refused)
    page.reload()
    page.get_by_label("Split by").select_option("CHANNEL")
    figure = page.get_by_role("figure").filter(has=page.locator("[data-bar]"))
    expect(figure).to_contain_text("served by none")
    assert before == saved.inner_text()
