import { expect, test } from "vitest";
import { jsonOf, NO_OVERRIDE, overrideInputs, overridesOf } from "./overrideDraft";

test("a bare word is a text, and what is JSON stays as it is typed", () => {
  expect(["high", "3", "true", '{"a": 1}', '"x"', '{"a":'].map(jsonOf)).toEqual([
    '"high"',
    "3",
    "true",
    '{"a": 1}',
    '"x"',
    '{"a":',
  ]);
});

test("what is sent comes back as it was written", () => {
  const draft = { ...NO_OVERRIDE, name: "reasoning.effort", value: '"low"', models: "gpt-5*, o3" };
  const [sent] = overrideInputs([draft]);
  expect(sent).toEqual({ action: "set", member: "reasoning.effort", header: null, value: '"low"', models: ["gpt-5*", "o3"], apis: [] });
  const shown = { action: "set", member: "reasoning.effort", header: "", value: '"low"', models: ["gpt-5*", "o3"], apis: [] };
  expect(overridesOf({ overrides: [shown] })).toEqual([draft]);
});

test("what is removed has no value, and a header's is no JSON", () => {
  const removed = { ...NO_OVERRIDE, action: "remove" as const, name: "a", value: "1" };
  const header = { ...NO_OVERRIDE, kind: "header" as const, name: "x-team", value: "blue" };
  expect(overrideInputs([removed, header]).map((each) => each.value)).toEqual([null, "blue"]);
});
