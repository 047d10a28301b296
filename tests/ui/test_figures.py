"""What the page may cost: bytes to load, frames while a long log scrolls, CPU of the live view."""

import gzip
import json
import os
import re
import sys
import time

import pytest
from playwright.sync_api import expect

from longwire.server.ui import BUILT

MEASURED = pytest.mark.skipif(
    "LONGWIRE_FIGURES" not in os.environ,
    reason="measures time, which a shared machine spoils: set LONGWIRE_FIGURES=1",
)
INITIAL = 200_000
ROWS = 100_000
LONGEST_FRAME = 50.0
MOST_CPU = 0.25
SESSIONS = 500


def figure(text):
    """Tell a figure to who runs this with -rP."""
    sys.stdout.write(f"figure: {text}\n")


def initial_files():
    """The scripts that the first page loads: the entry with all that it imports, and a language."""
    manifest = json.loads((BUILT / "manifest.json").read_text(encoding="utf-8"))
    wanted, seen = ["index.html", "src/shared/i18n/zh-CN.ts"], set()
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            wanted += manifest[name].get("imports", [])
    return {manifest[name]["file"] for name in seen}


def test_the_first_page_is_small():
    """The scripts of the first page come to 200 kB packed, at most; charts are not among them."""
    sizes = {name: len(gzip.compress((BUILT / name).read_bytes(), 9)) for name in initial_files()}
    figure(f"initial scripts: {sum(sizes.values()):,} bytes packed")
    assert sum(sizes.values()) <= INITIAL
    assert not [name for name in sizes if "Chart" in name]


REPEATED = """
(() => {
  // The first page of the log is the gateway's; the next ones repeat its rows under other ids.
  const real = window.fetch;
  let first, made = 0;
  window.fetch = async (url, options) => {
    const asked = typeof options?.body === 'string' ? JSON.parse(options.body) : {};
    if (!(asked.query ?? '').includes('query TurnRows(')) return real(url, options);
    if (!asked.variables.after) {
      first = await (await real(url, options)).json();
      const told = structuredClone(first);
      told.data.turns.pageInfo = { hasNextPage: true, endCursor: 'x' };
      return new Response(JSON.stringify(told));
    }
    const [row] = first.data.turns.nodes;
    const nodes = Array.from({ length: 200 }, () => ({ ...row, id: `made-${made++}` }));
    const pageInfo = { hasNextPage: made < ROWS, endCursor: `c-${made}` };
    return new Response(JSON.stringify({ data: { turns: { nodes, pageInfo } } }));
  };
})();
"""
SCROLL = """
async ([start, step, seconds]) => {
  const box = document.querySelector('[role=table]');
  const frames = [];
  box.scrollTop = start * box.scrollHeight;
  await new Promise(requestAnimationFrame);
  let last = performance.now();
  const ends = last + seconds * 1000;
  while (last < ends) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
    box.scrollTop += step;
  }
  return frames;
}
"""
LOAD_ALL = """
async (rows) => {
  const box = document.querySelector('[role=table]');
  let had = 0, grew = performance.now();
  while (had <= rows) {
    const has = Number(box.getAttribute('aria-rowcount'));
    if (has > had) [had, grew] = [has, performance.now()];
    if (performance.now() - grew > 20_000) throw new Error(`no more than ${had} rows came`);
    box.scrollTop = box.scrollHeight;
    await new Promise((next) => setTimeout(next, 15));
  }
}
"""
CATEGORIES = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]


def tasks_of(trace):
    """The tasks of the page's main thread, in ms of its processor time: no load of others."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (each["pid"], each["tid"])
        for each in events
        if each.get("name") == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    return [
        each["tdur"] / 1_000
        for each in events
        if each["name"].endswith("RunTask")
        and "tdur" in each
        and (each["pid"], each["tid"]) in mains
    ]


@MEASURED
def test_a_long_log_scrolls_smoothly(opened, owner, stage):
    """With 100,000 rows loaded, no frame takes 50 ms while ten rows a frame go by."""
    owner.channel()
    stage.turn(owner.key(), "one")
    page = opened(owner, "/settings")
    page.add_init_script(REPEATED.replace("ROWS", str(ROWS)))
    page.goto("/turns")
    table = page.get_by_role("table", name="Turns")
    expect(table.get_by_role("row").nth(1)).to_be_visible()
    page.set_default_timeout(180_000)
    page.evaluate(LOAD_ALL, ROWS)
    page.wait_for_timeout(1_000)
    for where, start, step in (("at hand", 1, -400), ("to be fetched again", 0, 400)):
        chromium = page.context.browser
        chromium.start_tracing(page=page, categories=CATEGORIES)
        frames = page.evaluate(SCROLL, [start, step, 4])
        tasks = tasks_of(chromium.stop_tracing())
        longest = f"longest task {max(tasks):.0f} ms of CPU, slowest frame {max(frames):.0f} ms"
        figure(f"{ROWS:,} rows, {where}, {len(frames)} frames in 4 s: {longest}")
        assert len(tasks) > len(frames) > 20
        assert max(tasks) <= LONGEST_FRAME


FAKE = """
(() => {
  const Real = window.WebSocket;
  window.updates = 0;
  const session = (n, turns) => ({
    id: `a/${n}`, node: "a", connection: n, channel: "main", channelID: "c",
    scope: "api_key:k", session: `session-${n}`,
    state: turns % 2 ? 'leased' : 'idle', age: n, lifetime: 3000, waiting: 0, turns,
    continued: turns - 1, bytesSaved: turns * 1000, last: 'continued',
    recent: Array.from({ length: Math.min(48, turns) }, (_, i) => i ? 'continued' : 'new_session'),
  });
  window.WebSocket = class extends Real {
    set onmessage(listener) {
      super.onmessage = (event) => {
        listener.call(this, event);
        const told = JSON.parse(event.data);
        if (told.type !== 'next' || window.feeding) return;
        window.feeding = true;
        const tell = (changes) => listener.call(this, { data: JSON.stringify({
          id: told.id, type: 'next', payload: { data: { sessionChanges: changes } } }) });
        const turns = new Map();
        for (let n = 1; n <= SESSIONS; n++) turns.set(n, 20 + (n % 30));
        tell({ isWhole: true, gone: [], changed: [...turns].map(([n, t]) => session(n, t)) });
        setInterval(() => {
          const n = 1 + Math.floor(Math.random() * (Math.random() < 0.5 ? 20 : SESSIONS));
          turns.set(n, turns.get(n) + 1);
          tell({ isWhole: false, gone: [], changed: [session(n, turns.get(n))] });
          window.updates += 1;
        }, 50);
      };
    }
    get onmessage() { return super.onmessage; }
  };
})();
"""


def cpu_seconds(wire):
    """The CPU time that the page's main thread has spent on tasks."""
    metrics = wire.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration")


@MEASURED
def test_the_live_view_is_cheap(opened, owner):
    """500 connections with 20 changes a second take less than a quarter of one core."""
    page = opened(owner, "/settings")
    page.add_init_script(FAKE.replace("SESSIONS", str(SESSIONS)))
    page.goto("/sessions")
    expect(page.get_by_role("heading", name=re.compile("500 connections"))).to_be_visible()
    wire = page.context.new_cdp_session(page)
    wire.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, updates, began = cpu_seconds(wire), page.evaluate("window.updates"), time.monotonic()
    page.wait_for_timeout(8_000)
    spent, seconds = cpu_seconds(wire) - before, time.monotonic() - began
    rate = (page.evaluate("window.updates") - updates) / seconds
    figure(f"{SESSIONS} sessions, {rate:.0f} changes/s: {spent / seconds:.1%} of a core")
    assert rate > 10
    assert spent / seconds < MOST_CPU
