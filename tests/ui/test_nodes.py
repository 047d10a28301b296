"""The page of nodes of a gateway that is one process: nothing is wrong, and it says how to grow."""

import re
from importlib.metadata import version

from playwright.sync_api import expect


def test_one_process_is_no_failure(opened, owner, stage):
    """It is a row that is ready and counts by itself; no alert, and the way to more is named."""
    owner.channel("of-nodes")
    key = owner.key("of-nodes")
    page = opened(owner, "/")
    page.get_by_role("link", name="Nodes").click()
    row = page.get_by_role("table", name="Nodes").get_by_role("row").nth(1)
    expect(row).to_contain_text("ready")
    expect(row).to_contain_text(version("longwire"))
    expect(row).to_contain_text(f"process {stage.gateway.process.pid}")
    expect(row).to_contain_text(re.compile(r"\d s ago"))
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("definition").filter(has_text="this process")).to_have_count(4)
    alone = page.locator("section", has_text="This gateway is one process")
    expect(alone).to_contain_text("docs/how-to/scale-out.md")
    expect(row.get_by_role("link")).to_have_count(0)
    stage.turn(key, "one", "of-nodes")
    expect(row.get_by_role("link", name="1", exact=True)).to_be_visible()


def test_one_process_has_no_nodes_to_tell_apart(opened, owner, stage):
    """Sessions and turns have neither a column of nodes nor a filter by them."""
    page = opened(owner, "/sessions")
    for path in ("/sessions", "/turns"):
        page.goto(path)
        expect(page.get_by_role("table")).to_be_visible()
        page.wait_for_load_state("networkidle")
        expect(
            page.get_by_role("columnheader", name=re.compile("node", re.IGNORECASE))
        ).to_have_count(0)
        expect(page.get_by_label("Node", exact=True)).to_have_count(0)
