// @vitest-environment node
import { expect, test } from "vitest";
import { ApiError } from "@/api/errors";
import type { DataEvent } from "@/api/events";
import { API_FORMATS, type ApiFormat } from "@/api/words";
import type { Exchange, Ways } from "../chat";
import { curlOf } from "../command";
import { TOOL } from "../tool";
import { after, bodyFor } from "./all";

const ways = (api: ApiFormat, part: Partial<Ways> = {}) => ({ api, model: "gpt-5.2", instructions: "", temperature: "", offersTool: false, ...part });
const exchange = (api: ApiFormat, part: Partial<Exchange> = {}): Exchange => ({
  id: 1, api, question: "q", answer: "", size: 0, state: "running", output: [], calls: [], results: [], ...part,
});
const read = (api: ApiFormat, events: readonly DataEvent[]) => events.reduce((before, event) => after(before, event, 5), exchange(api));

/** The same answer in each API: a text and a call, 9 tokens in, 4 of them cached, 2 out. */
const STREAMS: Record<ApiFormat, DataEvent[]> = {
  responses: [
    { type: "response.output_text.delta", delta: "I" },
    { type: "response.output_text.delta", delta: " look." },
    { type: "response.output_item.done", item: { type: "message", id: "msg_1" } },
    { type: "response.output_item.done", item: { type: "function_call", call_id: "c1", name: "current_time", arguments: '{"a":1}' } },
    { type: "response.completed", response: { usage: { input_tokens: 9, output_tokens: 2, input_tokens_details: { cached_tokens: 4 } } } },
  ],
  chat_completions: [
    { choices: [{ delta: { role: "assistant", content: "" }, finish_reason: null }], usage: null },
    { choices: [{ delta: { content: "I" } }] },
    { choices: [{ delta: { content: " look." } }] },
    { choices: [{ delta: { tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "current_time", arguments: "" } }] } }] },
    { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] } }] },
    { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: ":1}" } }] } }] },
    { choices: [{ delta: {}, finish_reason: "tool_calls" }] },
    { choices: [], usage: { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } } },
  ],
  messages: [
    { type: "message_start", message: { usage: { input_tokens: 0, output_tokens: 0 } } },
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
    { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "s" } },
    { type: "content_block_stop", index: 0 },
    { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "I" } },
    { type: "ping" },
    { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: " look." } },
    { type: "content_block_stop", index: 1 },
    { type: "content_block_start", index: 2, content_block: { type: "tool_use", id: "c1", name: "current_time", input: {} } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"a"' } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: ":1}" } },
    { type: "content_block_stop", index: 2 },
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { input_tokens: 5, cache_read_input_tokens: 4, output_tokens: 2 } },
    { type: "message_stop" },
  ],
  generate_content: [
    { candidates: [{ content: { role: "model", parts: [{ text: "hm", thought: true }, { text: "I" }] } }] },
    { candidates: [{ content: { role: "model", parts: [{ text: " look." }] } }] },
    {
      candidates: [
        { content: { parts: [{ functionCall: { id: "c1", name: "current_time", args: { a: 1 } }, thoughtSignature: "s" }] }, finishReason: "STOP" },
      ],
      usageMetadata: { promptTokenCount: 9, cachedContentTokenCount: 4, candidatesTokenCount: 1, thoughtsTokenCount: 1 },
    },
  ],
};

test.each(API_FORMATS)("an answer of %s is its text, its calls and its tokens", (api) => {
  expect(read(api, STREAMS[api])).toMatchObject({
    answer: "I look.",
    calls: [{ id: "c1", name: "current_time", arguments: '{"a":1}' }],
    inputTokens: 9,
    cachedTokens: 4,
    outputTokens: 2,
    firstEvent: 5,
  });
});

const HISTORIES: Record<ApiFormat, object> = {
  responses: {
    input: [
      { type: "message", role: "user", content: "q" },
      { type: "message", id: "msg_1" },
      { type: "function_call", call_id: "c1", name: "current_time", arguments: '{"a":1}' },
      { type: "function_call_output", call_id: "c1", output: "noon" },
    ],
  },
  chat_completions: {
    messages: [
      { role: "user", content: "q" },
      { role: "assistant", content: "I look.", tool_calls: [{ id: "c1", type: "function", function: { name: "current_time", arguments: '{"a":1}' } }] },
      { role: "tool", tool_call_id: "c1", content: "noon" },
    ],
  },
  messages: {
    messages: [
      { role: "user", content: "q" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "s" },
          { type: "text", text: "I look." },
          { type: "tool_use", id: "c1", name: "current_time", input: { a: 1 } },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "noon" }] },
    ],
  },
  generate_content: {
    contents: [
      { role: "user", parts: [{ text: "q" }] },
      {
        role: "model",
        parts: [
          { text: "hm", thought: true },
          { text: "I" },
          { text: " look." },
          { functionCall: { id: "c1", name: "current_time", args: { a: 1 } }, thoughtSignature: "s" },
        ],
      },
      { role: "user", parts: [{ functionResponse: { id: "c1", name: "current_time", response: { output: "noon" } } }] },
    ],
  },
};

test.each(API_FORMATS)("what came by %s goes back as it came, with the results of its calls", (api) => {
  const over: Exchange = { ...read(api, STREAMS[api]), state: "done", results: [{ id: "c1", name: "current_time", output: "noon" }] };
  expect(bodyFor([over], "", ways(api))).toMatchObject(HISTORIES[api]);
});

test("of an answer in another API the text goes along, and of one that was only a call its question", () => {
  const past = [exchange("responses", { state: "done", answer: "a", output: [{}] }), exchange("responses", { state: "done", question: "r" })];
  const history = [{ role: "user", content: "q" }, { role: "assistant", content: "a" }, { role: "user", content: "r" }];
  for (const api of ["chat_completions", "messages"] as const) expect(bodyFor(past, "", ways(api))).toMatchObject({ messages: history });
});

test("only what was set is sent, where each API has it", () => {
  expect(bodyFor([], "q", ways("chat_completions"))).toEqual({
    model: "gpt-5.2",
    messages: [{ role: "user", content: "q" }],
    stream_options: { include_usage: true },
  });
  expect(bodyFor([], "q", ways("messages"))).toEqual({ model: "gpt-5.2", max_tokens: 16_384, messages: [{ role: "user", content: "q" }] });
  const set = { instructions: "i", temperature: "0.5", offersTool: true };
  expect(bodyFor([], "q", ways("chat_completions", set))).toMatchObject({
    messages: [{ role: "system", content: "i" }, { role: "user", content: "q" }],
    temperature: 0.5,
    tools: [{ type: "function", function: { name: TOOL.name, parameters: TOOL.parameters } }],
  });
  expect(bodyFor([], "q", ways("messages", set))).toMatchObject({
    system: "i",
    temperature: 0.5,
    tools: [{ name: TOOL.name, input_schema: TOOL.parameters }],
  });
  expect(bodyFor([], "q", ways("generate_content"))).toEqual({ contents: [{ role: "user", parts: [{ text: "q" }] }] });
  expect(bodyFor([], "q", ways("generate_content", set))).toMatchObject({
    systemInstruction: { parts: [{ text: "i" }] },
    generationConfig: { temperature: 0.5 },
    tools: [{ functionDeclarations: [{ name: TOOL.name, parametersJsonSchema: TOOL.parameters }] }],
  });
  expect(bodyFor([], "q", ways("responses", set))).toMatchObject({ instructions: "i", tools: [{ type: "function", name: TOOL.name }] });
});

test("an answer that ends early says why, in its API's word", () => {
  const chat = read("chat_completions", [{ choices: [{ delta: {}, finish_reason: "length" }] }]);
  const message = read("messages", [{ type: "message_delta", delta: { stop_reason: "max_tokens" }, usage: { output_tokens: 1 } }]);
  const content = read("generate_content", [{ candidates: [{ finishReason: "MAX_TOKENS" }] }]);
  expect([chat.incomplete, message.incomplete, content.incomplete]).toEqual(["length", "max_tokens", "MAX_TOKENS"]);
  expect(read("messages", STREAMS.messages).incomplete).toBeUndefined();
});

test("a failure under way is an error with its code, or else its type", () => {
  const chat = { error: { code: "upstream_timeout", type: "server_error", message: "m" } };
  expect(() => read("chat_completions", [chat])).toThrow(new ApiError("upstream_timeout", "m"));
  const message = { type: "error", error: { type: "overloaded_error", message: "n" } };
  expect(() => read("messages", [message])).toThrow(new ApiError("overloaded_error", "n"));
  const content = { error: { code: 503, status: "UNAVAILABLE", message: "o" } };
  expect(() => read("generate_content", [content])).toThrow(new ApiError("UNAVAILABLE", "o"));
});

test("a command has the request of its API, and survives an apostrophe", () => {
  const command = curlOf({ ...ways("messages"), question: "it's me" }, "http://localhost/v1/messages");
  expect(command).toContain('curl -i http://localhost/v1/messages \\\n  -H "authorization: Bearer $LONGWIRE_KEY"');
  expect(command).toContain('-H "anthropic-version: 2023-06-01"');
  expect(command).toContain("it'\\''s me");
  expect(curlOf({ ...ways("generate_content"), question: "q" }, "http://h/x?alt=sse")).toContain('curl -i "http://h/x?alt=sse"');
  expect(curlOf({ ...ways("responses", { model: "" }), question: " " }, "u")).toContain('"content": "Hello"');
});
