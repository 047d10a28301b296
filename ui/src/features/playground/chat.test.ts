// @vitest-environment node
import { expect, test } from "vitest";
import type { sendTurn } from "@/api/dataPlane";
import { ApiError } from "@/api/errors";
import type { DataEvent } from "@/api/events";
import { type Exchange, type Ways, wordFor } from "./chat";
import { Conversation } from "./conversation";
import { after, bodyFor } from "./dialects/all";

const exchange = (part: Partial<Exchange>): Exchange => ({
  id: 1, api: "responses", question: "q", answer: "", size: 0, state: "done", output: [], calls: [], results: [], ...part,
});
const asked = (content: string) => ({ type: "message", role: "user", content });
const WAYS: Ways = { api: "responses", key: "k", model: "gpt-5.2", instructions: "", temperature: "", offersTool: false };
const travelled = { requestID: "r", channel: "c", transport: "websocket", continuity: "continued", reason: "", api: "responses", dropped: "" };

test("the whole history goes along: without what failed, and as far as what was stopped was read", () => {
  const reply = { type: "message", role: "assistant", content: [] };
  const past = [
    exchange({ question: "a", output: [reply] }),
    exchange({ question: "b", state: "failed", answer: "half" }),
    exchange({ question: "c", state: "stopped" }),
    exchange({ question: "d", state: "stopped", answer: "half" }),
  ];
  const half = { type: "message", role: "assistant", content: [{ type: "output_text", text: "half" }] };
  expect(bodyFor(past, "e", WAYS)).toMatchObject({ input: [asked("a"), reply, asked("d"), half, asked("e")] });
});

test("only what was set is sent", () => {
  const plain = bodyFor([], "q", { ...WAYS, model: "gpt-4.1" });
  expect(plain).toEqual({ model: "gpt-4.1", input: [asked("q")], store: false });
  expect(bodyFor([], "q", { ...WAYS, temperature: "0", instructions: "i" })).toMatchObject({ temperature: 0, instructions: "i" });
});

test("events make the answer, its items and its tokens", () => {
  const item = { type: "message" };
  const usage = { input_tokens: 9, output_tokens: 2, input_tokens_details: { cached_tokens: 4 } };
  const events: DataEvent[] = [
    { type: "response.created" },
    { type: "response.output_text.delta", delta: "a" },
    { type: "response.output_text.delta", delta: "b" },
    { type: "response.output_item.done", item },
    { type: "response.completed", response: { output: [], usage } },
  ];
  const read = events.reduce((before, event, index) => after(before, event, index + 5), exchange({ state: "running" }));
  expect(read).toMatchObject({ answer: "ab", output: [item], firstEvent: 5, inputTokens: 9, cachedTokens: 4, outputTokens: 2 });
  expect(after(exchange({}), { type: "response.completed", response: {} }, 1).inputTokens).toBeUndefined();
});

test("a failure's event is an error with its code", () => {
  const failed = { type: "response.failed", response: { error: { code: "upstream_timeout", message: "m" } } };
  expect(() => after(exchange({}), failed, 1)).toThrow(new ApiError("upstream_timeout", "m"));
  expect(() => after(exchange({}), { type: "error", code: "x", message: "n" }, 1)).toThrow("n");
});

test("the strip tells how a turn travelled, that it failed, or that it was left", () => {
  const words = [{ travelled }, { state: "failed" }, { state: "stopped" }] as const;
  expect(words.map((part) => wordFor(exchange(part)))).toEqual(["continued", "failed", "abandoned"]);
});

/** Sends nothing: answers with the number of the turn, and keeps what it was given. */
function answering() {
  const bodies: { input: unknown[] }[] = [];
  const send: typeof sendTurn = async (_key, body, listen, options) => {
    bodies.push(body as { input: unknown[] });
    listen.onHeaders?.(travelled);
    listen.onEvent({ type: "response.output_text.delta", delta: `answer ${bodies.length}` });
    await new Promise((resolve) => setImmediate(resolve));
    options?.signal?.throwIfAborted();
    const output = [{ type: "message", role: "assistant", content: `answer ${bodies.length}` }];
    listen.onEvent({ type: "response.completed", response: { output } });
    return travelled;
  };
  return { bodies, send };
}

test("an edited question replaces what follows it, and the strip keeps every turn", async () => {
  const { bodies, send } = answering();
  const chat = new Conversation(send, () => 0);
  await chat.send("one", WAYS);
  await chat.send("two", WAYS);
  const [first] = chat.shown().exchanges;
  await chat.send("one again", WAYS, first?.id);
  expect(bodies.map((body) => body.input.length)).toEqual([1, 3, 1]);
  expect(chat.shown().exchanges.map((each) => each.question)).toEqual(["one again"]);
  expect(chat.shown().marks).toEqual(["continued", "continued", "continued"]);
});

test("a stop keeps what was read; a new conversation has another session and nothing of the old", async () => {
  const { send } = answering();
  const chat = new Conversation(send, () => 0);
  const { session } = chat.shown();
  const turn = chat.send("one", WAYS);
  chat.stop();
  await turn;
  expect(chat.shown()).toMatchObject({ isRunning: false, marks: ["abandoned"], exchanges: [{ state: "stopped", answer: "answer 1" }] });
  const late = chat.send("two", WAYS);
  chat.clear();
  await late;
  expect(chat.shown()).toMatchObject({ isRunning: false, marks: [], exchanges: [] });
  expect(chat.shown().session).not.toBe(session);
});

test("a turn of the log is told to the exchange of its request", async () => {
  const chat = new Conversation(answering().send, () => 0);
  await chat.send("one", WAYS);
  chat.logged({ id: "7", requestID: "other", bytesSent: 1 });
  chat.logged({ id: "8", requestID: "r", bytesSent: 90 });
  expect(chat.shown().exchanges[0]?.logged).toEqual({ turn: "8", bytesSent: 90 });
});

test("results of tools are sent by themselves, as often as the model asks for them, but not for ever", async () => {
  const bodies: { input: { type: string; output?: string }[] }[] = [];
  const calling = (most: number): typeof sendTurn => async (_key, body, listen) => {
    bodies.push(body as (typeof bodies)[number]);
    listen.onHeaders?.(travelled);
    const call = { type: "function_call", call_id: `call_${bodies.length}`, name: "current_time", arguments: "{}" };
    if (bodies.length <= most) listen.onEvent({ type: "response.output_item.done", item: call });
    return travelled;
  };
  const chat = new Conversation(calling(1), () => 0);
  await chat.send("what time is it?", { ...WAYS, offersTool: true });
  expect(bodies[1]?.input.map((item) => item.type)).toEqual(["message", "function_call", "function_call_output"]);
  expect(Date.parse(bodies[1]?.input.at(-1)?.output ?? "")).not.toBeNaN();
  expect(chat.shown().exchanges.map((each) => each.question)).toEqual(["what time is it?", ""]);
  bodies.length = 0;
  await new Conversation(calling(99), () => 0).send("again and again", { ...WAYS, offersTool: true });
  expect(bodies.length).toBe(5);
});

test("a turn goes to the route of its API, with what that wants to be told", async () => {
  const sent: unknown[] = [];
  const chat = new Conversation(async (_key, _body, _listen, options) => {
    sent.push([options?.path, options?.headers]);
    return travelled;
  });
  for (const api of ["responses", "chat_completions", "messages"] as const) await chat.send("q", { ...WAYS, api });
  expect(sent).toEqual([
    ["v1/responses", {}],
    ["v1/chat/completions", {}],
    ["v1/messages", { "anthropic-version": "2023-06-01" }],
  ]);
});
