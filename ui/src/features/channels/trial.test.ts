import { expect, test } from "vitest";
import type { Endpoint } from "./api";
import type { Tested } from "./testChannel";
import { stepsOf } from "./trial";

const at = (apiFormat: string, transport: string): Endpoint => ({ apiFormat, transport, path: "", baseURL: "", dials: [] });
const HTTP = { defaultEndpoints: [at("generate_content", "http")] };
const BOTH = { defaultEndpoints: [at("responses", "auto"), at("chat_completions", "http")] };
const BROKEN: Tested = {
  success: false,
  error: "Slow down",
  api: "generate_content",
  transport: "",
  model: "m",
  handshakeMs: null,
  firstEventMs: null,
  continued: false,
  cachedTokens: null,
  dropped: [],
};
const GOOD = { ...BROKEN, success: true, error: null, transport: "http", firstEventMs: 12 };

test("over HTTP there is no handshake, and nothing failed where all is well", () => {
  expect(stepsOf(HTTP, "", GOOD)).toEqual([
    ["firstEvent", "done"],
    ["second", "done"],
    ["cached", "skipped"],
  ]);
});

test("of a trial that broke off one step failed: the first that it did not come through", () => {
  expect(stepsOf(HTTP, "", BROKEN)).toEqual([
    ["firstEvent", "failed"],
    ["second", "skipped"],
    ["cached", "skipped"],
  ]);
  expect(stepsOf(BOTH, "", { ...BROKEN, api: "responses" })[0]).toEqual(["handshake", "failed"]);
});

test("while it runs, it waits for the steps of the API that is asked for", () => {
  expect(stepsOf(BOTH, "", undefined)[0]).toEqual(["handshake", "waits"]);
  expect(stepsOf(BOTH, "chat_completions", undefined)[0]).toEqual(["firstEvent", "waits"]);
});

test("a second turn in full over a WebSocket is not what it is for", () => {
  const inFull = { ...GOOD, api: "responses", transport: "websocket", handshakeMs: 3, cachedTokens: 0 };
  expect(stepsOf(BOTH, "", inFull)[2]).toEqual(["second", "failed"]);
});
