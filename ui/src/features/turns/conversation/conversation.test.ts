import { describe, expect, it } from "vitest";
import { type Conversation, conversationOf, type Kept } from "./conversation";
import { image } from "./parts";
import { readBody } from "./readBody";

const PIXEL = "data:image/png;base64,iVBORw0KGgo=";
const CALL = { type: "function_call", call_id: "c1", name: "shell", arguments: '{"command":"ls"}' };
const SHOWN = { kind: "call", id: "c1", name: "shell", input: '{\n  "command": "ls"\n}', results: [{ kind: "text", text: "a.txt" }] };

const REQUESTS = {
  responses: {
    instructions: "Be brief",
    input: [
      { role: "user", content: [{ type: "input_text", text: "look" }, { type: "input_image", image_url: PIXEL }] },
      { type: "reasoning", summary: [{ type: "summary_text", text: "hm" }], encrypted_content: "x" },
      CALL,
      { type: "function_call_output", call_id: "c1", output: "a.txt" },
    ],
  },
  chat_completions: {
    messages: [
      { role: "system", content: "Be brief" },
      { role: "user", content: [{ type: "text", text: "look" }, { type: "image_url", image_url: { url: PIXEL } }] },
      { role: "assistant", content: null, reasoning_content: "hm", tool_calls: [{ id: "c1", type: "function", function: CALL }] },
      { role: "tool", tool_call_id: "c1", content: "a.txt" },
    ],
  },
  messages: {
    system: [{ type: "text", text: "Be brief" }],
    messages: [
      {
        role: "user",
        content: [{ type: "text", text: "look" }, { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } }],
      },
      { role: "assistant", content: [{ type: "thinking", thinking: "hm", signature: "s" }, { type: "tool_use", id: "c1", name: "shell", input: { command: "ls" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "a.txt" }] },
    ],
  },
  generate_content: {
    systemInstruction: { parts: [{ text: "Be brief" }] },
    contents: [
      { role: "user", parts: [{ text: "look" }, { inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } }] },
      { role: "model", parts: [{ text: "hm", thought: true }, { functionCall: { id: "c1", name: "shell", args: { command: "ls" } } }] },
      { role: "user", parts: [{ functionResponse: { id: "c1", name: "shell", response: "a.txt" } }] },
    ],
  },
} as const;

const ANSWERS = {
  responses: { output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "one file" }] }] },
  chat_completions: { choices: [{ message: { role: "assistant", content: "one file" } }] },
  messages: { role: "assistant", content: [{ type: "text", text: "one file" }] },
  generate_content: { candidates: [{ content: { role: "model", parts: [{ text: "one file" }] } }] },
} as const;

const kept = (api: Kept["api"], request: object, more: Partial<Kept> = {}): Kept => ({
  api,
  request: JSON.stringify(request),
  response: "",
  before: undefined,
  isContinued: false,
  ...more,
});

function read(from: Kept): Conversation {
  const found = conversationOf(from);
  if (found === null) throw new Error("it is no conversation");
  return found;
}

describe("a conversation", () => {
  it.each(["responses", "chat_completions", "messages", "generate_content"] as const)("says in %s what it says in any API", (api) => {
    const { entries, isWhole } = read(kept(api, REQUESTS[api], { response: JSON.stringify(ANSWERS[api]) }));
    const parts = entries.flatMap((entry) => entry.parts);
    const result = api === "generate_content" ? [{ kind: "other", text: '"a.txt"' }] : SHOWN.results;
    expect(parts).toEqual([
      { kind: "text", text: "Be brief" },
      { kind: "text", text: "look" },
      { kind: "image", source: PIXEL },
      { kind: "reasoning", text: "hm" },
      { ...SHOWN, results: result },
      { kind: "text", text: "one file" },
    ]);
    expect([...new Set(entries.map((entry) => entry.role))]).toEqual(["system", "user", "assistant"]);
    expect(entries.at(-1)?.place).toBe("answer");
    expect(isWhole).toBe(true);
  });

  it("marks what the turn before did not have; what the model said is no news", () => {
    const said = { role: "assistant", content: "hi" };
    const [first, second] = [{ role: "user", content: "a" }, { role: "user", content: "b" }];
    const told = (before: object[] | undefined, isContinued = false) =>
      read(
        kept("responses", { input: [first, said, second] }, { before: before && JSON.stringify({ input: before }), isContinued }),
      ).entries.map((entry) => entry.isNew);
    expect(told([first])).toEqual([false, false, true]);
    expect(told([second])).toEqual([true, true, true]);
    expect(told(undefined, true)).toEqual([false, false, true]);
    expect(told(undefined)).toEqual([false, false, false]);
  });

  it("marks a call whose result is new", () => {
    const { entries, news } = read(
      kept("responses", { input: [{ role: "user", content: "a" }, CALL, { type: "function_call_output", call_id: "c1", output: "x" }] }, {
        before: JSON.stringify({ input: [{ role: "user", content: "a" }] }),
      }),
    );
    expect([entries.map((entry) => entry.isNew), news]).toEqual([[false, true], 1]);
  });

  it("joins a result without an id to the call of its name", () => {
    const call = (n: number) => ({ role: "model", parts: [{ functionCall: { name: "f", args: { n } } }] });
    const result = (n: number) => ({ role: "user", parts: [{ functionResponse: { name: "f", response: n } }] });
    const { entries } = read(kept("generate_content", { contents: [call(1), result(2), call(3), result(4)] }));
    expect(entries.map(({ parts: [part] }) => (part?.kind === "call" ? part.results : part))).toEqual([
      [{ kind: "other", text: "2" }],
      [{ kind: "other", text: "4" }],
    ]);
  });

  it("reads an answer from the events of a stream, and a failure", () => {
    const events = [
      { type: "content_block_start", content_block: { type: "text", text: "" } },
      { type: "content_block_delta", delta: { type: "text_delta", text: "one file" } },
      { type: "error", error: { type: "overloaded_error", message: "busy" } },
    ];
    const response = events.map((each) => `event: ${each.type}\ndata: ${JSON.stringify(each)}\n\n`).join("");
    const { entries } = read(kept("messages", REQUESTS.messages, { response }));
    expect(entries.slice(-2).map(({ role, parts }) => [role, parts])).toEqual([
      ["assistant", [{ kind: "text", text: "one file" }]],
      ["error", [{ kind: "text", text: "busy" }]],
    ]);
  });

  it("is none where there is no list of items", () => {
    expect(conversationOf(kept("responses", { model: "m" }))).toBeNull();
    expect(conversationOf({ ...kept("messages", {}), request: "no JSON" })).toBeNull();
  });

  it("of a thousand items is read in no time, and knows each place where a body was cut", () => {
    const input = Array.from({ length: 1_000 }, (_, at) => ({ role: "user", content: `question ${at} "quoted" \\ \u00e9` }));
    const whole = JSON.stringify({ input });
    const from = performance.now();
    const { count } = read({ ...kept("responses", {}), request: whole, before: whole });
    expect([count, performance.now() - from < 500]).toEqual([1_000, true]);
  });
});

describe("a body that was cut", () => {
  it("is read as far as it goes, wherever it was cut", () => {
    const text = JSON.stringify({ model: "m", input: [{ role: "user", content: 'a "b" \\ \u0007 c' }, { role: "user", content: [1, true, null] }] });
    for (let end = text.indexOf("[") + 1; end < text.length; end += 1) {
      const { value, isWhole } = readBody(text.slice(0, end));
      expect([end, (value as { model?: string } | undefined)?.model, isWhole]).toEqual([end, "m", false]);
    }
    expect(readBody('{"input":[{"content":"as far as')).toMatchObject({ value: { input: [{ content: "as far as" }] } });
  });
});

it("only images that are in the body itself are shown, no documents and none too large", () => {
  const sources = ["https://evil.example/x.png", "data:image/svg+xml;base64,AAAA", "javascript:alert(1)", `data:image/png;base64,${"A".repeat(2_000_001)}`, 7];
  expect(sources.map(image)).toEqual(sources.map(() => ({ kind: "image", source: "" })));
  expect(image(PIXEL)).toEqual({ kind: "image", source: PIXEL });
});
