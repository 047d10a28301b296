import { renderHook } from "@testing-library/react";
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { expect, test } from "vitest";
import en from "./en.json";
import chinese from "./zh-CN.json";
import { useWhatChanged } from "./useWhatChanged";

async function said(language: "en" | "zh-CN", text: string): Promise<string> {
  await i18next.use(initReactI18next).init({ lng: language, resources: { en: { turns: en }, "zh-CN": { turns: chinese } } });
  return renderHook(() => useWhatChanged()).result.current(text);
}

test("an item and properties are told in sentences", async () => {
  expect(await said("en", 'input[13] of 31: function_call_output; instructions, tools[2] "shell" added')).toBe(
    'Item 14 of 31, a tool result, is not what it was. Not as before: instructions, tools[2] "shell" added.',
  );
});

test("nothing of it is English in Chinese but names", async () => {
  expect(await said("zh-CN", "instructions added, tools reordered, text.format removed, model")).toBe(
    "与之前不同：instructions（新增）, tools（重新排序）, text.format（移除）, model。",
  );
});
