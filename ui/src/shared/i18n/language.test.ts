import { expect, test } from "vitest";
import en from "./en";
import zh from "./zh-CN";

/** Every key of a tree of texts, as a path, with the values it interpolates. */
function keys(texts: object, path = ""): string[] {
  return Object.entries(texts).flatMap(([name, value]) =>
    typeof value === "string"
      ? [`${path}${name} ${[...new Set(value.match(/\{\{\w+\}\}/g) ?? [])].sort().join(" ")}`]
      : keys(value as object, `${path}${name}.`),
  );
}

test("English and Chinese have the same texts, with the same values in them", () => {
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  for (const [namespace, texts] of Object.entries(en)) {
    expect(keys(zh[namespace] ?? {}).sort(), namespace).toEqual(keys(texts).sort());
  }
});

test("no text is empty, and Chinese is Chinese", () => {
  const values = (texts: object): string[] =>
    Object.values(texts).flatMap((value) => (typeof value === "string" ? [value] : values(value as object)));
  expect(values(zh["app"] ?? {}).filter((text) => /[\u4e00-\u9fff]/.test(text)).length).toBeGreaterThan(60);
});

/** Each text in both languages, by its path. */
function pairs(one: object, other: object, path = ""): [string, string, string][] {
  return Object.entries(one).flatMap(([name, value]): [string, string, string][] => {
    const beside: unknown = (other as Record<string, unknown>)[name];
    if (typeof value === "string") return [[`${path}${name}`, value, String(beside)]];
    return pairs(value as object, beside as object, `${path}${name}.`);
  });
}
const PAIRS = pairs(en, zh);

test("a Chinese sentence has Chinese marks", () => {
  expect(PAIRS.filter(([, , text]) => /[\u4e00-\u9fff}][,:;?!](?=\s*[\u4e00-\u9fff{]|$)/.test(text) && /[\u4e00-\u9fff]/.test(text))).toEqual([]);
});

test("a thing has one name in Chinese, too", () => {
  const words: [RegExp, string][] = [
    [/playground/i, "试用台"],
    [/tokens a (minute|day|month)/i, "词元"],
  ];
  for (const [english, chinese] of words) {
    const named = PAIRS.filter(([, text]) => english.test(text));
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter(([, , text]) => !text.includes(chinese))).toEqual([]);
  }
});
