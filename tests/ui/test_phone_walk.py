"""Somebody on a phone with a keyboard, in the dark theme and in Chinese: never by a pointer.

At each stop of the walk all of the screen is looked at: `sound`. The other walks:
`test_first_run.py` of a newcomer, `test_operators_walk.py` of an operator.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import violations
from tests.ui.stage import MODELS, OWNER, PASSWORD, Stage
from tests.ui.test_pages import UNTRANSLATED

PHONE = {"width": 360, "height": 740}
STOPS = """() => {
  // What Tab must come to: of radio buttons that belong together, one.
  const scope = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  const wanted = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
  const isStop = (each) => each.checkVisibility() && !each.disabled && each.tabIndex >= 0;
  window.unreached = new Set([...scope.querySelectorAll(wanted)].filter(isStop));
  const reach = (element) => {
    for (const each of unreached) {
      const isBeside = each.type === "radio" && each.name === element.name;
      if (each === element || isBeside) unreached.delete(each);
    }
  };
  reach(document.activeElement);
  document.addEventListener("focusin", (event) => reach(event.target));
  return unreached.size;
}"""
UNREACHED = """() => [...unreached].filter((each) => each.isConnected && each.checkVisibility())
  .map((each) => each.outerHTML.slice(0, 160))"""
HIDDEN = """() => {
  // What has the focus and is covered by something else; the document itself is between two rounds.
  const each = document.activeElement;
  if (each === document.body) return null;
  const { left, top, width, height } = each.getBoundingClientRect();
  const seen = document.elementFromPoint(left + Math.min(width, 20) / 2, top + height / 2);
  const isSeen = seen !== null && (each.contains(seen) || seen.contains(each));
  return isSeen ? null : each.outerHTML.slice(0, 120);
}"""
DRAWN = """() => {
  const scope = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  const found = { broken: [], cut: [], covered: [] };
  const rectsOf = (node, from, to) => {
    const range = document.createRange();
    range.setStart(node, from);
    range.setEnd(node, to);
    return [...range.getClientRects()].filter((each) => each.width > 0);
  };
  const walker = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (!parent.checkVisibility() || parent.closest("pre, code, textarea, .sr-only")) continue;
    // Long names may go on in the next line; short words and figures may not.
    for (const word of node.data.matchAll(/[\\w$.,%@-]+|^\\s*[\\u4e00-\\u9fff]{2,3}\\s*$/g)) {
      const rects = rectsOf(node, word.index, word.index + word[0].length);
      const tops = new Set(rects.map((each) => Math.round(each.top)));
      if (tops.size > 1 && word[0].length <= 12) found.broken.push(word[0]);
    }
    const isMoney = /\\$\\d/.test(node.data);
    if (isMoney && parent.clientWidth > 0 && parent.scrollWidth > parent.clientWidth) {
      found.cut.push(node.data);
    }
  }
  const buttons = [...scope.querySelectorAll("main button, dialog button")];
  for (const code of scope.querySelectorAll("pre, code")) {
    const box = code.getBoundingClientRect();
    for (const text of rectsOf(code, 0, code.childNodes.length)) {
      const right = Math.min(text.right, box.right);
      const isOver = buttons.some((each) => {
        const own = each.getBoundingClientRect();
        return !each.contains(code) && own.left < right && own.right > text.left
          && own.top < text.bottom && own.bottom > text.top;
      });
      if (isOver) found.covered.push(code.textContent.slice(0, 60));
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A gateway whose operator lets bodies be indexed."""
    sections = "\n[bodies]\nindex = true\n"
    running = Stage(tmp_path_factory.mktemp("phone"), sections=sections)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def used(stage, owner):
    """A channel, a viewer, and a conversation whose bodies are kept."""
    owner.channel("emulator")
    stage.join(owner.invite("VIEWER"), "viewer@example.org")
    key = owner.key("kept", keepsBodies=True)
    past = []
    for text in ("明天的会议在几点", "记下来。", "再提醒我一次。"):
        past = stage.turn(key, text, "run-phone", past)
    owner.logged(3)


def unreached(page):
    """What Tab does not come to, in once or twice through all of it."""
    count = page.evaluate(STOPS)
    for _ in range(2):
        for _ in range(count + 3):
            page.keyboard.press("Tab")
        missing = page.evaluate(UNREACHED)
        if not missing:
            break
    return missing


def sound(page):
    """Nothing is wider than the phone, broken, cut or covered, and all of it goes by keyboard."""
    expect(page.locator(".skeleton")).to_have_count(0)
    root = "document.documentElement"
    found = {
        "axe": violations(page),
        "wide": max(0, page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")),
        **page.evaluate(DRAWN),
        "untranslated": re.findall(
            rf"\b(?:{UNTRANSLATED}):?\.\w+", page.locator("body").inner_text()
        ),
        "unreached": unreached(page),
    }
    assert {} == {name: what for name, what in found.items() if what}, page.url


def tab_to(page, target):
    """Press Tab until the focus is there."""
    expect(target).to_be_visible()
    for _ in range(150):
        if target.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {target}")


def press(page, role, name):
    """Go to what has this role and name, and press Enter there."""
    tab_to(page, page.get_by_role(role, name=name, exact=True).first)
    page.keyboard.press("Enter")


def go(page, place):
    """Go to a place by a part of its name."""
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    page.keyboard.type(place)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(place)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_all_of_it_goes_by_keyboard_on_a_phone(opened, stage, used):
    """In the dark, in Chinese: each stop is sound, from the door to a page that is not there."""
    page = opened(None, "/", viewport=PHONE, color_scheme="dark", locale="zh-CN")
    coming_in(page)
    the_overview_is_split(page)
    menus_of_rows_are_on_the_screen(page)
    no_field_of_a_form_is_below_a_bar(page)
    go(page, "用户")
    expect(page.get_by_role("table").first).to_contain_text("查看者")
    sound(page)
    a_turn_shows_what_is_new_in_its_conversation(page)
    bodies_are_searched(page)
    go(page, "入门")
    expect(page.locator("pre")).to_be_visible()
    sound(page)
    a_page_that_is_not_there_leads_on(page)


def coming_in(page):
    """The field of the email is where one types."""
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    sound(page)
    tab_to(page, page.get_by_label("邮箱"))
    page.keyboard.type(OWNER)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("概览")


def the_overview_is_split(page):
    """The chart is one stop; the breakdown breaks no word and cuts no cost."""
    split = page.get_by_label("分组")
    tab_to(page, split)
    page.keyboard.press("ArrowDown")
    expect(split).to_have_value("CHANNEL")
    channels = page.get_by_role("table", name="按渠道")
    expect(channels).to_contain_text("emulator")
    sound(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="键盘快捷键")).to_contain_text("Ctrl")
    page.keyboard.press("Escape")


def menus_of_rows_are_on_the_screen(page):
    """From the navigation, without scrolling; Escape leads back to the menu's button."""
    for place, name in (("渠道", "emulator"), ("API 密钥", "kept")):
        press(page, "button", "导航")
        press(page, "link", place)
        expect(page.get_by_role("heading", level=1)).to_have_text(place)
        menu = page.get_by_role("button", name=f"操作: {name}")
        tab_to(page, menu)
        page.keyboard.press("Enter")
        items = page.get_by_role("menuitem")
        expect(items.first).to_be_focused()
        for each in [menu, *items.all()]:
            expect(each).to_be_in_viewport(ratio=1)
        page.keyboard.press("Escape")
        expect(menu).to_be_focused()
        sound(page)


def no_field_of_a_form_is_below_a_bar(page):
    """What Tab comes to is seen: neither the header nor the bar that saves covers it."""
    go(page, "渠道")
    press(page, "link", "emulator")
    press(page, "link", "设置")
    expect(page.get_by_role("button", name="保存")).to_be_visible()
    hidden = []
    for key in ("Tab", "Shift+Tab"):
        for _ in range(page.evaluate(STOPS)):
            page.keyboard.press(key)
            hidden.append(page.evaluate(HIDDEN))
    assert [] == [each for each in hidden if each]


def a_turn_shows_what_is_new_in_its_conversation(page):
    """Its newest turn opens, and its bodies with the new items marked; Escape leads back."""
    tab_to(page, page.get_by_role("button", name="导航"))
    go(page, "轮次")
    newest = page.get_by_role("table", name="轮次").get_by_role("button").first
    tab_to(page, newest)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("只发送了新增内容")
    press(page, "button", "显示正文")
    new = dialog.get_by_test_id("new-item")
    expect(new.first).to_contain_text("新增")
    expect(new.filter(has_text="再提醒我一次。")).to_be_in_viewport()
    expect(new.filter(has_text="明天的会议在几点")).to_have_count(0)
    sound(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(newest).to_be_focused()
    sound(page)


def bodies_are_searched(page):
    """A word of two characters is found in what was said, and Enter opens its turn."""
    page.keyboard.press("Control+k")
    page.keyboard.type("会议")
    expect(page.get_by_role("option", name=re.compile("在保留的正文中搜索.会议"))).to_be_visible()
    page.keyboard.press("Enter")
    found = page.get_by_role("list", name="在保留的正文中找到")
    expect(found.locator("mark").first).to_have_text("会议")
    sound(page)
    tab_to(page, found.get_by_role("button").first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text(MODELS[0])
    page.keyboard.press("Escape")


def a_page_that_is_not_there_leads_on(page):
    """An old link says so, and where to go from there."""
    page.goto("/no/such/page")
    expect(page.get_by_role("heading", level=1)).to_have_text("没有这个页面")
    sound(page)
    press(page, "link", "返回概览")
    expect(page.get_by_role("heading", level=1)).to_have_text("概览")
