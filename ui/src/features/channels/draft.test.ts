import { describe, expect, test } from "vitest";
import { type ChannelDraft, type EndpointDraft, inputOf, NEW_CHANNEL, ownEndpoints } from "./draft";
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

  test("headers that were kept carry no value", () => {
    const draft = with_({ headers: [{ name: "x-team", value: "", isKept: true }] });
    expect(inputOf(draft, false).headers).toEqual([{ name: "x-team", value: null }]);
  });
});

test("a problem of an endpoint finds its API, whatever its place in what was sent", () => {
  const draft = with_({ endpoints: { ...NEW_CHANNEL.endpoints, messages: own({ path: "wrong" }) } });
  expect(ownEndpoints(draft).map((each) => each.api)).toEqual(["messages"]);
  const problem = problemsOf([{ field: "endpoints.0.path", message: "must begin with /" }], draft);
  expect(problem("endpoints.messages.path")).toBe("must begin with /");
  expect(problem("endpoints.responses.path")).toBeUndefined();
});
