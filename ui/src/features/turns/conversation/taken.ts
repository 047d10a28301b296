/** A kept conversation as the playground holds one; each request's items go along as they are. */
import type { ApiFormat } from "@/api/words";
import type { Exchange, Ways } from "@/features/playground/chat";
import { listOf, membersOf, type Message, type Part, word } from "./parts";
import { isMembers, type Json, type Members, readBody } from "./readBody";
import { READERS } from "./readers";

export interface Taken {
  exchanges: Omit<Exchange, "id">[];
  settings: Pick<Ways, "api" | "model" | "instructions" | "temperature">;
  /** Members of the request that the playground does not have. */
  left: string[];
}

/** What it sends of itself, as a client of its own. */
const OWN = new Set(["model", "stream", "stream_options", "store", "include"]);
const INSTRUCTIONS = new Set(["instructions", "system", "systemInstruction", "system_instruction"]);
const CONFIG = "generationConfig";

/** Null where the request is nothing that can be read as one. */
export function takenOver(api: ApiFormat, model: string, request: string, response: string): Taken | null {
  const reader = READERS[api];
  const { value: body } = readBody(request);
  if (!isMembers(body) || !(reader.list in body)) return null;
  const items = listOf(body[reader.list]);
  const spoken = systemOf(api, items);
  const answer = readBody(response).value;
  const history = [...items.slice(spoken === null ? 0 : 1), ...(isMembers(answer) ? reader.answer(answer) : [])];
  const instructions = reader.instructions(body);
  const isText = instructions.every((part) => part.kind === "text");
  const temperature = body["temperature"] ?? membersOf(body[CONFIG])["temperature"];
  return {
    exchanges: exchangesOf(api, history.map((item) => [item, reader.message(item)])),
    settings: { api, model, instructions: spoken ?? textOf(instructions), temperature: typeof temperature === "number" ? String(temperature) : "" },
    left: leftOf(body, new Set([reader.list, "temperature", ...(isText ? INSTRUCTIONS : [])])),
  };
}

/** In one API the instructions are the first message. */
function systemOf(api: ApiFormat, [first]: Json[]): string | null {
  const { role, content } = membersOf(first);
  return api === "chat_completions" && role === "system" && typeof content === "string" ? content : null;
}

function leftOf(body: Members, taken: Set<string>): string[] {
  const config = Object.keys(membersOf(body[CONFIG])).filter((name) => name !== "temperature");
  const members = Object.keys(body).filter((name) => !OWN.has(name) && !taken.has(name) && name !== CONFIG);
  return [...members, ...config.map((name) => `${CONFIG}.${name}`)];
}

/** A question begins one, with all that came of it. */
function exchangesOf(api: ApiFormat, history: [Json, Message][]): Taken["exchanges"] {
  const found: Taken["exchanges"] = [];
  let isAnswered = true;
  for (const [item, message] of history) {
    const isAsked = !["assistant", "model", "tool"].includes(message.role) && !message.parts.some((part) => part.kind === "result");
    if (found.length === 0 || (isAsked && isAnswered)) found.push(begun(api));
    isAnswered = !isAsked;
    found.push(grown(found.pop() ?? begun(api), item, message, isAsked));
  }
  return found;
}

const begun = (api: ApiFormat): Omit<Exchange, "id"> => ({ api, question: "", answer: "", state: "done", size: 0, output: [], calls: [], results: [] });

function grown(exchange: Omit<Exchange, "id">, item: Json, { role, parts }: Message, isAsked: boolean): Omit<Exchange, "id"> {
  const text = textOf(parts);
  const calls = parts.flatMap((part) => (part.kind === "call" ? [{ id: part.id, name: part.name, arguments: part.input }] : []));
  const results = parts.flatMap((part) => (part.kind === "result" ? [{ id: part.id, name: part.name, output: textOf(part.parts) }] : []));
  return {
    ...exchange,
    question: isAsked && role === "user" ? lines(exchange.question, text) : exchange.question,
    answer: isAsked ? exchange.answer : lines(exchange.answer, text),
    calls: [...exchange.calls, ...calls],
    results: [...exchange.results, ...results],
    history: [...(exchange.history ?? []), item],
  };
}

const lines = (before: string, text: string) => [before, text].filter((each) => each !== "").join("\n\n");

const textOf = (parts: Part[]) => parts.flatMap((part) => (part.kind === "text" || part.kind === "other" ? [word(part.text)] : [])).join("\n");
