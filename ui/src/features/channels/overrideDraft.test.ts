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

test("the value of a header never comes out, and stays unless another is typed", () => {
  const shown = { action: "set", member: "", header: "x-team", value: null, models: [], apis: [] };
  const drafts = overridesOf({ overrides: [shown] });
  expect(drafts[0]).toMatchObject({ kind: "header", name: "x-team", value: "", isKept: true });
  expect(overrideInputs(drafts)[0]?.value).toBeNull();
  expect(overrideInputs(drafts.map((each) => ({ ...each, value: "blue" })))[0]?.value).toBe("blue");
});

test("what is removed has no value, and a header's is no JSON", () => {
  const removed = { ...NO_OVERRIDE, action: "remove" as const, name: "a", value: "1" };
  const header = { ...NO_OVERRIDE, kind: "header" as const, name: "x-team", value: "blue" };
  expect(overrideInputs([removed, header]).map((each) => each.value)).toEqual([null, "blue"]);
});
