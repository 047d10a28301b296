import { describe, expect, test } from "vitest";
import { type ChannelDraft, type EndpointDraft, inputOf, NEW_CHANNEL, ownEndpoints, withoutSecrets } from "./draft";
import { NO_OVERRIDE } from "./overrideDraft";
import type { Preset } from "./api";
import { presetOf, withPreset } from "./presets";
import { problemsOf } from "./problems";

const own = (part: Partial<EndpointDraft>): EndpointDraft => ({ path: "", baseURL: "", transport: "", ...part });
const with_ = (part: Partial<ChannelDraft>): ChannelDraft => ({ ...NEW_CHANNEL, name: "main", ...part });

describe("what is sent of a draft", () => {
  test("an empty base URL is the type's default", () => {
    expect(inputOf(with_({}), true).baseURL).toBeNull();
  });

  test("each type keeps its own base URL", () => {
    const draft = with_({ baseURL: { ...NEW_CHANNEL.baseURL, openai: "https://a.example/v1", codex: "https://b.example" } });
    expect(inputOf(draft, true).baseURL).toBe("https://a.example/v1");
    expect(inputOf({ ...draft, type: "codex" }, true).baseURL).toBe("https://b.example");
  });

  test("a key that is not typed is kept, and goes when accounts take its place", () => {
    expect("apiKey" in inputOf(with_({}), false)).toBe(false);
    expect(inputOf(with_({ apiKey: "sk-1" }), false).apiKey).toBe("sk-1");
    expect(inputOf(with_({ type: "codex", apiKey: "sk-1" }), false).apiKey).toBeNull();
  });

  test("a proxy that is not typed is kept; an emptied one is removed", () => {
    expect("proxy" in inputOf(with_({}), false)).toBe(false);
    expect(inputOf(with_({ proxy: "" }), false).proxy).toBeNull();
  });

  test("only endpoints that differ are sent, and what they inherit is null", () => {
    const draft = with_({ endpoints: { ...NEW_CHANNEL.endpoints, responses: own({ baseURL: "wss://a.example" }) } });
    expect(inputOf(draft, true).endpoints).toEqual([
      { apiFormat: "responses", path: null, baseURL: "wss://a.example", transport: null },
    ]);
  });

  test("items of the type's default are null, and none is an empty list", () => {
    expect(inputOf(with_({}), true).nativeItems).toBeNull();
    expect(inputOf(with_({ nativeItems: "none" }), true).nativeItems).toEqual([]);
    expect(inputOf(with_({ nativeItems: "both" }), true).nativeItems).toEqual(["additional_tools", "configuration_update"]);
  });

  test("what is kept outside the page's memory has no secrets", () => {
    const override = { ...NO_OVERRIDE, kind: "header" as const, name: "x-team", value: "planted" };
    const draft = with_({ apiKey: "planted", proxy: "planted", headers: [{ name: "x", value: "planted", isKept: false }], overrides: [override] });
    const kept = withoutSecrets(draft);
    expect(JSON.stringify(kept)).not.toContain("planted");
    expect(kept.overrides?.[0]?.name).toBe("x-team");
  });

  test("headers that were kept carry no value", () => {
    const draft = with_({ headers: [{ name: "x-team", value: "", isKept: true }] });
    expect(inputOf(draft, false).headers).toEqual([{ name: "x-team", value: null }]);
  });
});

describe("what the upstream offers", () => {
  const both = { ...NEW_CHANNEL.apis, openai: ["chat_completions", "messages"] as const };

  test("an API that is not on offer keeps nothing of what was typed for it", () => {
    const typed = with_({ endpoints: { ...NEW_CHANNEL.endpoints, messages: own({ path: "/m" }) }, threads: true });
    expect(inputOf(typed, true)).toMatchObject({ apis: null, endpoints: [], threads: false });
    expect(inputOf({ ...typed, apis: both }, true)).toMatchObject({
      apis: ["chat_completions", "messages"],
      endpoints: [{ apiFormat: "messages", path: "/m" }],
      threads: true,
    });
  });

  test("without the Responses API there is no WebSocket to choose", () => {
    expect(inputOf(with_({ transport: "websocket" }), true).transport).toBe("websocket");
    expect(inputOf(with_({ transport: "websocket", apis: both }), true).transport).toBe("http");
  });
});

test("a preset sets what its vendor needs, and is known again by its address", () => {
  const preset: Preset = {
    name: "deepseek",
    vendor: "DeepSeek",
    type: "openai",
    baseURL: "https://deepseek.example/v1",
    apis: ["chat_completions", "messages"],
    profile: "deepseek",
    transport: "http",
    keyHint: "sk-…",
    keyURL: "",
    source: "https://docs.example",
    endpoints: [{ apiFormat: "messages", baseURL: "https://deepseek.example/anthropic/v1" }],
  };
  const draft = { ...NEW_CHANNEL, apiKey: "sk-1", ...withPreset(NEW_CHANNEL, preset, [preset]) };
  expect(inputOf(draft, true)).toMatchObject({
    name: "deepseek",
    baseURL: "https://deepseek.example/v1",
    apiKey: "sk-1",
    profile: "deepseek",
    endpoints: [{ apiFormat: "messages", baseURL: "https://deepseek.example/anthropic/v1" }],
  });
  expect(presetOf(draft, [preset])).toBe(preset);
  expect(presetOf(NEW_CHANNEL, [preset])).toBeUndefined();
  const other = { ...preset, name: "other" };
  expect(withPreset(draft, other, [preset, other]).name).toBe("other");
  expect(withPreset({ ...draft, name: "mine" }, other, [preset, other]).name).toBe("mine");
});

test("a price without a figure is sent without it, never as 0", () => {
  const prices = [{ model: "m", input: "", cached: "", cacheWrite: "", output: "", tiers: [] }];
  expect(inputOf(with_({ prices }), true).prices).toMatchObject([{ input: null, output: null }]);
});

test("prices are numbers, and what is left empty costs what input does", () => {
  const prices = [{ model: " gpt-5* ", input: "1.25", cached: "", cacheWrite: "2", output: "10", tiers: [{ above: "200000", input: "2.5", cached: "", cacheWrite: "", output: "15" }] }];
  expect(inputOf(with_({ prices }), true).prices).toEqual([
    { model: "gpt-5*", input: 1.25, cached: null, cacheWrite: 2, output: 10, tiers: [{ above: 200_000, input: 2.5, cached: null, cacheWrite: null, output: 15 }] },
  ]);
});

test("a problem of an endpoint finds its API, whatever its place in what was sent", () => {
  const draft = with_({ type: "anthropic", endpoints: { ...NEW_CHANNEL.endpoints, messages: own({ path: "wrong" }) } });
  expect(ownEndpoints(draft).map((each) => each.api)).toEqual(["messages"]);
  const problem = problemsOf([{ field: "endpoints.0.path", message: "must begin with /" }], draft);
  expect(problem("endpoints.messages.path")).toBe("must begin with /");
  expect(problem("endpoints.responses.path")).toBeUndefined();
});
