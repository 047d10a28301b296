import { expect, test } from "vitest";
import { completed, type Exchange, inputFor, wordFor } from "./chat";

const exchange = (part: Partial<Exchange>): Exchange => ({ question: "q", answer: "", sent: 0, isOver: true, output: [], ...part });

test("the whole history goes along, but for what failed", () => {
  const reply = { type: "message", role: "assistant", content: [] };
  const input = inputFor([exchange({ question: "a", output: [reply] }), exchange({ question: "b", error: "x" })], "c");
  expect(input).toEqual([
    { type: "message", role: "user", content: "a" },
    reply,
    { type: "message", role: "user", content: "c" },
  ]);
});

test("tokens come from the response, and stay unknown without", () => {
  const usage = { input_tokens: 9, input_tokens_details: { cached_tokens: 4 } };
  expect(completed(exchange({}), { usage })).toMatchObject({ inputTokens: 9, cachedTokens: 4 });
  expect(completed(exchange({}), {}).inputTokens).toBeUndefined();
});

test("the strip tells how a turn travelled, or that it failed", () => {
  const travelled = { requestID: "", channel: "", transport: "", continuity: "continued", reason: "" };
  expect([wordFor(exchange({ travelled })), wordFor(exchange({ error: 1 }))]).toEqual(["continued", "failed"]);
});
