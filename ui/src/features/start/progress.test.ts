import { expect, test } from "vitest";
import { type Facts, stepsDone } from "./progress";

const facts = (turns: number, continued: number, failures: number, sessions: string[]): Facts => ({
  channels: { nodes: [{ id: "ch_1", name: "main", models: ["*"] }] },
  apiKeys: { nodes: [{ id: "key_1" }] },
  usage: { totals: { turns, continued, failures } },
  turns: { nodes: sessions.map((session) => ({ session, errorCode: "" })) },
});

test("nothing is done where nothing is known", () => {
  expect(Object.values(stepsDone(undefined, true))).toEqual([false, false, false, false, false]);
});

test("the turns of this page see a turn continued, and are no client's", () => {
  const done = stepsDone(facts(2, 1, 0, ["playground-1", "playground-1"]), false);
  expect(done).toEqual({ channel: true, test: true, key: true, client: false, continued: true });
});

test("a turn of any other session is a client's, unless it failed", () => {
  expect(stepsDone(facts(1, 0, 0, ["agent-1"]), false).client).toBe(true);
  const failed = facts(1, 0, 1, []);
  failed.turns.nodes.push({ session: "", errorCode: "model_not_found" });
  expect(stepsDone(failed, false)).toMatchObject({ test: false, client: false, continued: false });
});

test("a trial that went well is a test before any turn", () => {
  expect(stepsDone(facts(0, 0, 0, []), true).test).toBe(true);
  expect(stepsDone(facts(0, 0, 0, []), false).test).toBe(false);
});
