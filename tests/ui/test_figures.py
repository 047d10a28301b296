"""What the page may cost: bytes to load, frames while a long log scrolls, CPU of the live view."""

import gzip
import json
import re
import sqlite3
import time

from playwright.sync_api import expect

from longwire.core.turn_row import ID_BITS
from longwire.server.ui import BUILT

INITIAL = 200_000
ROWS = 100_000
LONGEST_FRAME = 50.0
MOST_CPU = 0.25
SESSIONS = 500


def initial_files():
    """The files that the first page loads: the entry with all that it imports, styles, a language."""
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
    print(f"initial scripts: {sum(sizes.values()):,} bytes packed")
    assert sum(sizes.values()) <= INITIAL
    assert not [name for name in sizes if "Chart" in name]


def fill(database, rows):
    """Write turns as the log has them, a second apart."""
    with sqlite3.connect(database) as connection:
        (columns,) = zip(
            *connection.execute("SELECT name FROM pragma_table_info('turns')"), strict=True
        )
        (one,) = connection.execute("SELECT * FROM turns LIMIT 1").fetchall()
        at = one[columns.index("started_at")]
        marks = ", ".join("?" for _ in columns)
        made = []
        for number in range(rows):
            row = list(one)
            row[0] = (at - (number + 1) * 1000) << ID_BITS
            row[columns.index("started_at")] = at - (number + 1) * 1000
            made.append(row)
        connection.executemany(f"INSERT INTO turns VALUES ({marks})", made)  # noqa: S608 - marks


SCROLL = """
async (seconds) => {
  const box = document.querySelector('[role=table]');
  const frames = [];
  let last = performance.now();
  const ends = last + seconds * 1000;
  while (last < ends) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
    box.scrollTop += 400;
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 5) box.scrollTop = 0;
  }
  return frames;
}
"""
LOAD_ALL = """
async (rows) => {
  const box = document.querySelector('[role=table]');
  while (Number(box.getAttribute('aria-rowcount')) <= rows) {
    box.scrollTop = box.scrollHeight;
    await new Promise((next) => setTimeout(next, 15));
  }
  box.scrollTop = 0;
}
"""
LONG_TASKS = """
() => {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.longTasks.push(entry.duration);
  }).observe({ type: 'longtask' });
}
"""


def test_a_long_log_scrolls_smoothly(opened, owner, stage):
    """With 100,000 rows loaded, no frame's work takes 50 ms while they scroll by."""
    owner.channel()
    stage.turn(owner.key(), "one")
    page = opened(owner, "/turns")
    table = page.get_by_role("table", name="Turns")
    expect(table.get_by_role("row").nth(1)).to_be_visible()
    fill(stage.folder / "longwire.db", ROWS)
    page.reload()
    expect(table.get_by_role("row").nth(5)).to_be_visible()
    page.set_default_timeout(180_000)
    page.evaluate(LOAD_ALL, ROWS)
    page.evaluate(LONG_TASKS)
    frames = page.evaluate(SCROLL, 6)
    tasks = page.evaluate("window.longTasks")
    print(f"{ROWS:,} rows: {len(frames)} frames, longest task {max(tasks, default=0):.0f} ms")
    assert [task for task in tasks if task > LONGEST_FRAME] == []


FAKE = """
(() => {
  const Real = window.WebSocket;
  window.updates = 0;
  const session = (n, turns) => ({
    connection: n, channel: 'main', channelID: 'c', scope: 'api_key:k', session: `session-${n}`,
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
        for (let n = 1; n <= %d; n++) turns.set(n, 20 + (n %% 30));
        tell({ isWhole: true, gone: [], changed: [...turns].map(([n, t]) => session(n, t)) });
        setInterval(() => {
          const n = 1 + Math.floor(Math.random() * (Math.random() < 0.5 ? 20 : %d));
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


def test_the_live_view_is_cheap(opened, owner, stage):
    """500 connections with 20 changes a second take less than a quarter of one core."""
    page = opened(owner, "/settings")
    page.add_init_script(FAKE % (SESSIONS, SESSIONS))
    page.goto("/sessions")
    expect(page.get_by_role("heading", name=re.compile("500 connections"))).to_be_visible()
    wire = page.context.new_cdp_session(page)
    wire.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, updates, began = cpu_seconds(wire), page.evaluate("window.updates"), time.monotonic()
    page.wait_for_timeout(8_000)
    spent, seconds = cpu_seconds(wire) - before, time.monotonic() - began
    rate = (page.evaluate("window.updates") - updates) / seconds
    print(f"{SESSIONS} sessions, {rate:.0f} updates/s: {spent / seconds:.1%} of a core")
    assert rate > 10
    assert spent / seconds < MOST_CPU
