import i18next from "i18next";
import { expect, test } from "vitest";
import { ALERT_LABELS, ALERT_NOTES, PROBLEMS } from "@/api/words";
import { createFormat } from "@/shared/format";
import en from "@/shared/i18n/en";
import zh from "@/shared/i18n/zh-CN";
import type { Alert } from "./api";
import { labelOf, noteOf, type T } from "./said";

type Language = "en" | "zh-CN";

async function spoken(language: Language): Promise<T> {
  const resources = { en, "zh-CN": zh } as never;
  await i18next.init({ lng: language, resources, interpolation: { escapeValue: false } });
  return i18next.getFixedT(language, ["alerts", "budgets", "turns"]);
}

async function note(language: Language, watched: string, text: string): Promise<string> {
  return noteOf({ watched: watched as Alert["watched"], note: text }, createFormat(language), await spoken(language));
}

async function label(language: Language, watched: string, text: string): Promise<string> {
  return labelOf({ watched: watched as Alert["watched"], label: text }, await spoken(language));
}

/** What the server says with these values, as it does. */
const filled = (sentence: string) => sentence.replace(/\{(\w+)\}/g, (_all, name: string) => `<${name}>`);

test.each(Object.entries(ALERT_NOTES))("what the server says of %s is said in Chinese", async (watched, sentence) => {
  const told = await note("zh-CN", watched, filled(sentence));
  expect(told.replace(/<\w+>/g, "")).not.toMatch(/[a-z{}]/i);
  expect(told.match(/<\w+>/g)?.sort()).toEqual(filled(sentence).match(/<\w+>/g)?.sort());
});

test.each(Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[])("that a channel rests for %s is Chinese to its end", async (problem) => {
  const told = await note("zh-CN", "CHANNEL_RESTING", `It failed with: ${PROBLEMS[problem]}`);
  expect(told).toMatch(/^最近一次失败：.*[\u4e00-\u9fff].*。$/);
});

test("figures are written as the page writes them", async () => {
  const fell = "It was 85% of 12000 turns, and is 10% of 20.";
  expect(await note("en", "CONTINUED_DROP", fell)).toBe("It was 85% of 12,000 turns, and is 10% of 20.");
  expect(await note("zh-CN", "CONTINUED_DROP", fell)).toBe("之前为 12,000 个轮次中的 85%，现在为 20 个轮次中的 10%。");
});

test("what the server says otherwise stays as it is", async () => {
  const lines = "disk I/O error.\nIt failed (with): a {brace}";
  expect(await note("zh-CN", "TURN_LOG_FULL", "disk I/O error")).toBe("disk I/O error");
  expect(await note("zh-CN", "ERROR_RATE", "Many of 20 turns were lost.")).toBe("Many of 20 turns were lost.");
  expect(await note("zh-CN", "TURN_LOG_FAILING", `The database says: ${lines}`)).toBe(`数据库报告：${lines}`);
  expect(await note("zh-CN", "NODE_GONE", "")).toBe("");
});

test("what has no name of its own is called in Chinese, too", async () => {
  expect(await label("zh-CN", "CONTINUED_SHARE", ALERT_LABELS.CONTINUED_SHARE)).toBe("所有渠道");
  expect(await label("zh-CN", "SIGN_IN_NEEDED", "account ada@example.org of channel main")).toBe("渠道 main 的账号 ada@example.org");
  expect(await label("zh-CN", "SIGN_IN_NEEDED", "somebody")).toBe("somebody");
  expect(await label("zh-CN", "ERROR_RATE", "all channels")).toBe("all channels");
});

test("a budget is called by whose it is", async () => {
  const text = "project My, own, dollars of this month";
  expect(await label("en", "BUDGET_SHARE", text)).toBe("Project My, own, US dollars a month");
  expect(await label("zh-CN", "BUDGET_SHARE", text)).not.toMatch(/project|month/);
});
