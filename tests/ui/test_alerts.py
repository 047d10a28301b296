"""The page of alerts: a destination tried, a rule made, an alert that comes and ends."""

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import language, violations
from tests.ui.stage import WATCHED, Stage

BUILT_IN = ("A channel rests", "An account must sign in", "Many turns fail", "A node is gone")
BUSY = {"at": "before_create", "act": "error", "status": 429, "code": "busy"}
MODEL = {"model": "gpt-5.2", "input": "hi"}
RULE = """mutation($i: AlertRuleInput!) { createAlertRule(input: $i) { id } }"""


class Receiver:
    """A webhook's receiver: what arrived, and what it answers."""

    def __init__(self):
        self.bodies = deque()
        self.status = 200
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["content-length"])
                outer.bodies.append(json.loads(self.rfile.read(length)))
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(b"as you wish")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A gateway that looks at its alert rules all the time."""
    running = Stage(tmp_path_factory.mktemp("stage"), sections=WATCHED)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def receiver():
    running = Receiver()
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_a_destination_is_made_and_tried(opened, owner, receiver):
    """Its secret is shown once; the test button shows what came back, good or bad."""
    page = opened(owner, "/")
    page.get_by_role("link", name="Alerts").click()
    expect(page.get_by_text("Nobody is informed yet")).to_be_visible()
    page.get_by_role("button", name="Add destination").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("ops")
    dialog.get_by_label("URL").fill("ftp://nowhere")
    dialog.get_by_role("button", name="Add destination").click()
    expect(dialog.get_by_text("✕ write an address as https://host/path")).to_be_visible()
    dialog.get_by_label("URL").fill(receiver.url)
    dialog.get_by_role("button", name="Add destination").click()
    secret = page.get_by_test_id("secret").inner_text()
    assert secret.startswith("whsec_")
    page.get_by_role("button", name="I have it").click()
    expect(page.get_by_text(secret)).to_have_count(0)

    page.get_by_role("button", name="Test: ops").click()
    expect(page.get_by_role("status").filter(has_text="The test arrived at ops")).to_contain_text(
        "200 OK: as you wish"
    )
    assert "alert.test" == receiver.bodies.popleft()["type"]
    receiver.status = 500
    page.get_by_role("button", name="Test: ops").click()
    failed = page.get_by_role("alert").filter(has_text="The test did not arrive at ops")
    expect(failed).to_contain_text("500")
    receiver.status = 200
    receiver.bodies.clear()


def test_a_rule_is_made_changed_and_deleted(opened, owner):
    """In percent and minutes; what no rule may say is refused at its field."""
    page = opened(owner, "/alerts")
    page.get_by_role("button", name="Add rule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("mine")
    dialog.get_by_label("What is watched").select_option(label="Disk free")
    dialog.get_by_label("At most, in percent").fill("150")
    dialog.get_by_role("button", name="Add rule").click()
    expect(dialog.get_by_text("✕ is a share: write more than 0 and at most 1")).to_be_visible()
    dialog.get_by_label("At most, in percent").fill("15")
    dialog.get_by_label("Must last, in minutes").fill("2")
    dialog.get_by_role("button", name="Add rule").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("button", name="mine", exact=True))
    expect(row).to_contain_text("Disk free ≤ 15 %")
    expect(row).to_contain_text("2 min 00 s")
    page.get_by_role("button", name="Actions: mine").click()
    page.get_by_role("menuitem", name="Switch off").click()
    expect(row).to_contain_text("off")
    page.get_by_role("button", name="Actions: mine").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_the_rules_of_the_start_are_called_in_the_language_of_the_page(opened, owner):
    """And by their own names in English."""
    page = opened(owner, "/alerts")
    with language(page, "zh-CN"):
        expect(page.get_by_role("button", name="渠道暂停", exact=True)).to_be_visible()
        for name in BUILT_IN:
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    page.reload()
    for name in BUILT_IN:
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()


def test_an_alert_comes_and_ends(opened, owner, stage, receiver):
    """The badge counts it, its row says what and who was told; then it is over. No violation."""
    given = {"name": "rests now", "watched": "CHANNEL_RESTING"}
    owner.ask(RULE, i=given)
    owner.channel(transport="http")
    key = owner.key("alerting")
    headers = {"authorization": f"Bearer {key}"}
    fault = {**BUSY, "headers": {"retry-after": "4"}}
    httpx2.post(f"{stage.upstream}/_emulator/faults", json=[fault]).raise_for_status()
    assert 429 == httpx2.post(f"{stage.url}/v1/responses", json=MODEL, headers=headers).status_code
    page = opened(owner, "/alerts")
    table = page.get_by_role("table", name="What was and what lasts")
    row = table.get_by_role("row").filter(has_text="Channel main rests after failures")
    expect(row).to_contain_text("lasts")
    expect(row).to_contain_text("Its last failure: The account is at a limit.")
    expect(row).to_contain_text("arrived")
    page.reload()
    expect(page.get_by_role("link", name="Alerts 1 open alerts")).to_be_visible()
    found = {}
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        if problems := violations(page):
            found[theme] = problems
    with language(page, "zh-CN"):
        expect(page.get_by_text("渠道 main 因失败而暂停")).to_be_visible()
        expect(page.get_by_text("账号已达到限额。")).to_be_visible()
        if problems := violations(page):
            found["zh-CN"] = problems
    assert found == {}
    page.reload()
    stage.turn(key, "again")
    expect(row).to_contain_text("over")
    expect(row).to_contain_text("resolved")
    assert ["alert.fired", "alert.resolved"] == [each["type"] for each in receiver.bodies]


def test_a_viewer_has_no_alerts(opened, stage, owner):
    """Alerts are of the whole gateway: a viewer sees neither the place nor the page's content."""
    viewer = stage.join(owner.invite("VIEWER"), "viewer-of-alerts@example.org")
    page = opened(viewer, "/")
    expect(page.get_by_role("link", name="Nodes")).to_be_visible()
    expect(page.get_by_role("link", name="Alerts")).to_have_count(0)
