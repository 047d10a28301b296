import { expect, test } from "vitest";
import { changesOf } from "./changes";

test("fields are told as old and new, and what stayed empty is left out", () => {
  expect(changesOf({ name: [null, "a"], tags: [null, []], weight: [1, 2] })).toEqual([
    { field: "name", before: "–", after: "a" },
    { field: "weight", before: "1", after: "2" },
  ]);
});

test("anything else is no change", () => {
  expect([changesOf(null), changesOf("x")]).toEqual([[], []]);
});
