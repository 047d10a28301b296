import { expect, test } from "vitest";
import type { Model } from "./api";
import { differences, draftOf, inputOf, moved, NEW_MODEL, partsOf } from "./draft";

const MODEL: Model = {
  id: "mdl_1",
  name: "smart",
  description: "",
  isEnabled: true,
  projects: [],
  fallbacks: ["spare"],
  managedBy: "DATABASE",
  revision: 1,
  targets: [
    {
      channel: "main",
      tag: "",
      model: "gpt-5",
      weight: 2.5,
      order: 1,
      condition: { apis: ["responses"], streams: null, hasTools: false, minTokens: 10, maxTokens: null, keys: [], projects: [] },
      servedBy: [{ id: "ch_1", name: "main", isEnabled: true, serves: true, health: "SOUND", price: null }],
    },
  ],
  usage: { turns: 0, failures: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 },
};

test("what is sent of a model that was read says the same, by the channel's id", () => {
  const { targets, fallbacks } = inputOf(draftOf(MODEL));
  expect(fallbacks).toEqual(["spare"]);
  expect(targets).toEqual([
    {
      channel: "ch_1",
      tag: "",
      model: "gpt-5",
      weight: 2.5,
      order: 1,
      condition: { apis: ["responses"], streams: null, hasTools: false, minTokens: 10, maxTokens: null, keys: [], projects: [] },
    },
  ]);
});

test("a target moves by a step, and stays at the ends", () => {
  expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], 0, -1)).toEqual(["a", "b", "c"]);
  expect(moved(["a", "b", "c"], 2, 1)).toEqual(["a", "b", "c"]);
});

test("a place is a channel or a tag, whatever its name is", () => {
  expect([partsOf("channel:ch_1"), partsOf("tag:team:a"), partsOf("")]).toEqual([["channel", "ch_1"], ["tag", "team:a"], ["", ""]]);
});

test("only fields that differ are told", () => {
  expect(differences(NEW_MODEL, NEW_MODEL)).toEqual([]);
  expect(differences(NEW_MODEL, { ...NEW_MODEL, isEnabled: false }).map((each) => each.field)).toEqual(["isEnabled"]);
});
