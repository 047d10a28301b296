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
