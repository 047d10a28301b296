"""Three nodes and a browser on the balancer: whichever node answers, a page shows all of them."""

import re
import time

import httpx2
import pytest
from playwright.sync_api import expect

from tests.doubles.nodes import Node
from tests.ui.conftest import violations
from tests.ui.fleet_stage import fleet_stage
from tests.ui.stage import free_port

pytestmark = pytest.mark.fleet

ADA = "ada@example.org"
NAMES = ("lw-0", "lw-1", "lw-2")
SEEN_WITHIN = 15_000
"""Milliseconds after which a page must have seen that a node is gone."""

TOLD_WITHIN = 5_000
"""For the feed of turns; the log itself is looked at each 15 seconds."""

COMES_BACK = 30_000
"""Until a node that starts anew is there, on a machine that does other work, too."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory, postgresql_server, postgresql_template):
    """A fleet with a session at each node."""
    folder = tmp_path_factory.mktemp("fleet")
    with fleet_stage(folder, postgresql_server, postgresql_template) as running:
        for node in running.fleet.nodes:
            past = running.at(node).turn(running.fleet.key, "one", f"at-{node.name}")
            running.at(node).turn(running.fleet.key, "two", f"at-{node.name}", past)
        yield running


@pytest.fixture(scope="module")
def owner(stage):
    """An owner, signed in by way of the balancer."""
    return stage.owner()


def row_of(page, name):
    """The row that has a name."""
    return page.get_by_role("row", name=re.compile(name))


def test_all_nodes_are_shown(opened, owner):
    """Each is ready, with its session and a heartbeat; Valkey is up, and nothing is wrong."""
    page = opened(owner, "/nodes")
    for name in NAMES:
        row = row_of(page, name)
        expect(row).to_contain_text("ready")
        expect(row.get_by_role("link", name="1", exact=True)).to_be_visible()
        expect(row.get_by_role("cell", name=re.compile(r"^\d s ago$"))).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert violations(page) == []
    row_of(page, "lw-1").get_by_role("link", name="1", exact=True).click()
    expect(page).to_have_url(re.compile("/sessions.*node=lw-1"))
    expect(row_of(page, "at-")).to_have_count(1)


def test_sessions_of_all_nodes_are_live_and_closed(opened, owner, stage):
    """A turn at any node shows by itself, and a connection of any node is closed from the page."""
    page = opened(owner, "/sessions")
    for node in stage.fleet.nodes:
        expect(row_of(page, f"at-{node.name}")).to_contain_text("1 / 2")
        stage.at(node).turn(stage.fleet.key, "alone", f"close-{node.name}")
    page.get_by_label("Node", exact=True).select_option("lw-2")
    expect(row_of(page, "close-lw-2")).to_be_visible()
    expect(row_of(page, "close-lw-0")).to_have_count(0)
    page.get_by_label("Node", exact=True).select_option("")
    for name in NAMES:
        row_of(page, f"close-{name}").get_by_role("button").click()
        dialog = page.get_by_role("dialog").first
        expect(dialog.get_by_role("definition").filter(has_text=name).first).to_be_visible()
        expect(dialog).to_contain_text("there was nothing to continue")
        dialog.get_by_role("button", name="Close connection").click()
        page.get_by_role("dialog").last.get_by_role("button", name="Close connection").click()
        expect(dialog).to_contain_text("This connection has ended")
        dialog.get_by_role("button", name="Close", exact=True).click()
        expect(row_of(page, f"close-{name}")).to_have_count(0)
    assert violations(page) == []


def test_turns_of_all_nodes_are_shown_and_filtered(opened, owner, stage):
    """Each has its node; a turn that ends at any node is told; the filter stands in the address."""
    page = opened(owner, "/turns")
    table = page.get_by_role("table", name="Turns")
    for name in NAMES:
        expect(table.get_by_role("cell", name=f"main {name}", exact=True).first).to_be_visible()
    for number, node in enumerate(stage.fleet.nodes, 1):
        stage.at(node).turn(stage.fleet.key, "new", "told")
        newer = page.get_by_role("button", name=re.compile(f"{number} newer"))
        expect(newer).to_be_visible(timeout=TOLD_WITHIN)
    page.get_by_label("Node", exact=True).select_option("lw-1")
    expect(page).to_have_url(re.compile("node=lw-1"))
    expect(table.get_by_role("cell", name="main lw-1", exact=True).first).to_be_visible()
    expect(table.get_by_role("cell", name="main lw-0", exact=True)).to_have_count(0)
    table.get_by_role("row").nth(1).get_by_role("button").click()
    expect(page.get_by_role("dialog").get_by_role("link", name="lw-1", exact=True)).to_be_visible()
    assert violations(page) == []


def test_a_channel_that_fails_at_one_node_is_told(opened, owner, stage):
    """Where nodes differ about a channel, its state stands for each; a rest is told to all."""
    dead = owner.channel("dead", baseURL=f"http://127.0.0.1:{free_port()}/v1", models=["dead"])
    node = stage.fleet.nodes[1]
    headers = {"authorization": f"Bearer {owner.key('only-dead', channels=[dead['id']])}"}
    page = opened(owner, "/channels")
    row = row_of(page, "dead")
    expect(row).to_contain_text("sound")
    expect(row.get_by_role("list")).to_have_count(0)
    body = {"model": "dead", "input": "hello"}
    status = 0
    while status not in {502, 503}:  # until the node knows key and channel
        answer = httpx2.post(f"{node.url}/v1/responses", json=body, headers=headers, timeout=30)
        status = answer.status_code
        time.sleep(0.1)
    states = row.get_by_role("list", name="At each node").get_by_role("listitem")
    expect(states.filter(has_text="lw-1")).to_contain_text(re.compile("failing|resting"))
    expect(states.filter(has_text="lw-0")).to_contain_text("WebSocket fails")
    assert violations(page) == []


def test_an_account_signs_in_whichever_node_answers(opened, owner, stage):
    """Begun at one node and looked at by others, it ends with the account there."""
    backend = f"{stage.upstream}/backend-api/codex"
    channel = owner.channel(
        "codex", type="codex", apiKey=None, baseURL=backend, models=["codex-only"]
    )
    page = opened(owner, f"/channels/{channel['id']}/settings")
    page.get_by_role("button", name="Add account").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("With a code", exact=True).click()
    dialog.get_by_role("button", name="Begin").click()
    code = dialog.get_by_label("Code to enter").inner_text()
    with page.context.expect_page() as popup:
        dialog.get_by_role("link", name="Open the sign-in page").click()
    popup.value.get_by_label("Code").fill(code)
    popup.value.get_by_label("Account").fill(ADA)
    popup.value.get_by_role("button", name="Approve").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text(ADA)).to_be_visible()


def test_a_name_that_two_processes_have_is_told(opened, owner, stage):
    """Both stand in the list; the page says loudly that they share a name, and how to mend it."""
    twin = Node("lw-1", stage.fleet.folder / "twin", stage.fleet.text)
    page = opened(owner, "/nodes")
    stage.start(twin)
    try:
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Two processes are called lw-1")
        expect(alert).to_contain_text("fleet.node")
        expect(row_of(page, "lw-1")).to_have_count(2)
        assert violations(page) == []
    finally:
        stage.kill(twin)
    expect(alert).to_have_count(0, timeout=COMES_BACK)


def test_a_killed_node_is_told_within_15_seconds(opened, owner, stage):
    """Pages that are open say so by themselves; it is back where it starts again."""
    nodes, sessions = opened(owner, "/nodes"), opened(owner, "/sessions")
    expect(row_of(nodes, "lw-2")).to_contain_text("ready")
    expect(row_of(sessions, "at-lw-2")).to_be_visible()
    stage.kill(stage.fleet.nodes[2])
    row = row_of(nodes, "lw-2")
    expect(row).to_contain_text("gone", timeout=SEEN_WITHIN)
    expect(nodes.get_by_role("alert")).to_contain_text("lw-2 does not answer any more")
    expect(sessions.get_by_role("alert")).to_contain_text("lw-2 did not answer")
    expect(row_of(sessions, "at-lw-2")).to_have_count(0)
    expect(row_of(sessions, "at-lw-0")).to_be_visible()
    assert violations(nodes) == []
    assert violations(sessions) == []
    nodes.reload()
    expect(row).to_contain_text("gone")
    stage.start(stage.fleet.nodes[2])
    expect(row).to_contain_text("ready", timeout=COMES_BACK)
    expect(nodes.get_by_role("alert")).to_have_count(0)
    expect(sessions.get_by_role("alert")).to_have_count(0, timeout=COMES_BACK)


def test_valkey_that_is_away_is_told_with_the_mend(opened, owner, stage):
    """What others do is unknown then; the node that answers serves on, and all comes back."""
    page = opened(owner, "/nodes")
    expect(row_of(page, "lw-0")).to_contain_text("ready")
    stage.kill_valkey()
    try:
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Valkey does not answer")
        expect(alert).to_contain_text("Check that Valkey runs")
        expect(page.get_by_role("row", name=re.compile("unknown"))).to_have_count(2)
        assert violations(page) == []
        stage.turn(stage.fleet.key, "served on", "without-valkey")
    finally:
        stage.start_valkey()
    expect(alert).to_have_count(0, timeout=COMES_BACK)
    for name in NAMES:
        expect(row_of(page, name)).to_contain_text("ready", timeout=COMES_BACK)
