/** A request and its answer as one conversation, with results beside their calls and marks at what is new. */
import type { ApiFormat } from "@/api/words";
import { ApiError } from "@/api/errors";
import type { DataEvent } from "@/api/events";
import type { Exchange } from "@/features/playground/chat";
import { after } from "@/features/playground/dialects/all";
import { spelled } from "../difference";
import { listOf, type Message, type Part, text, word } from "./parts";
import { isMembers, type Json, type Members, readBody } from "./readBody";
import { READERS } from "./readers";

export interface Entry extends Message {
  place: "instructions" | "request" | "answer";
  /** Of its item in the request, counted from 1; 0 for what is none. */
  number: number;
  isNew: boolean;
}

export interface Conversation {
  entries: Entry[];
  /** Items of the request, and those of them that are new; null where nobody knows. */
  count: number;
  news: number | null;
  isWhole: boolean;
}

export interface Kept {
  api: ApiFormat;
  request: string;
  response: string;
  /** The request of the turn before it, where that is kept. */
  before: string | undefined;
  isContinued: boolean;
}

/** Null where the request is nothing that can be read as one. */
export function conversationOf(kept: Kept): Conversation | null {
  const reader = READERS[kept.api];
  const request = readBody(kept.request);
  if (!isMembers(request.value) || !(reader.list in request.value)) return null;
  const items = listOf(request.value[reader.list]);
  const messages = items.map(reader.message);
  const start = firstNew(items, messages, itemsOf(kept.before, reader.list), kept.isContinued);
  const instructions = reader.instructions(request.value);
  const answer = answerOf(kept.api, kept.response);
  const entries: Entry[] = [
    ...(instructions.length === 0 ? [] : [{ role: "system", parts: instructions, place: "instructions", number: 0, isNew: false } as const]),
    ...messages.map((each, at) => ({ ...each, place: "request" as const, number: at + 1, isNew: start !== null && at >= start })),
    ...answer.messages.map((each) => ({ ...each, place: "answer" as const, number: 0, isNew: false })),
  ];
  const isWhole = request.isWhole && answer.isWhole;
  return { entries: joined(entries), count: items.length, news: start === null ? null : items.length - start, isWhole };
}

function itemsOf(body: string | undefined, list: string): Json[] | null {
  const { value } = readBody(body ?? "");
  return isMembers(value) && list in value ? listOf(value[list]) : null;
}

/**
 * The first item that the turn before did not have. What the model said then is no news: the turn before ends with it.
 * Of a continued turn whose turn before is not kept, what follows the model's last item is what was sent.
 */
function firstNew(items: Json[], messages: Message[], before: Json[] | null, isContinued: boolean): number | null {
  const isModels = (at: number) => ["assistant", "model"].includes(messages[at]?.role ?? "");
  if (before === null) return isContinued ? messages.findLastIndex((_, at) => isModels(at)) + 1 : null;
  let at = 0;
  while (at < Math.min(items.length, before.length) && spelled(items[at]) === spelled(before[at])) at += 1;
  if (at === before.length) while (isModels(at)) at += 1;
  return at;
}

interface Answer {
  messages: Message[];
  isWhole: boolean;
}

function answerOf(api: ApiFormat, response: string): Answer {
  if (response === "") return { messages: [], isWhole: true };
  const body = readBody(response);
  if (body.events.length > 0) return { messages: streamed(api, body.events), isWhole: body.isWhole };
  if (!isMembers(body.value)) return { messages: [{ role: "assistant", parts: [text(response)] }], isWhole: false };
  const { isWhole, value } = body;
  const messages = READERS[api].answer(value).map(READERS[api].message);
  const error = isMembers(value["error"]) ? value["error"] : null;
  return { messages: error === null ? messages : [...messages, failed(word(error["message"]))], isWhole };
}

const failed = (message: string): Message => ({ role: "error", parts: [text(message)] });

/** The answer that a stream's events make, as the playground reads them. */
function streamed(api: ApiFormat, events: Members[]): Message[] {
  let read: Exchange = { id: 0, api, question: "", answer: "", state: "running", size: 0, output: [], calls: [], results: [] };
  try {
    for (const event of events) read = after(read, event as DataEvent, 0);
    return read.output.map(READERS[api].message);
  } catch (error) {
    const message = error instanceof ApiError ? error.message : String(error);
    return [...read.output.map(READERS[api].message), failed(message)];
  }
}

/** Results go to the calls they are of; an entry that was nothing but them goes with them. */
function joined(entries: Entry[]): Entry[] {
  const open: Extract<Part, { kind: "call" }>[] = [];
  const found: Entry[] = [];
  const holders = new Map<Part, Entry>();
  for (const entry of entries) {
    const parts: Part[] = [];
    for (const part of entry.parts) {
      const at = part.kind === "result" ? open.findIndex((call) => (part.id === "" ? call.name === part.name : call.id === part.id)) : -1;
      const [call] = at === -1 ? [] : open.splice(at, 1);
      if (part.kind !== "result" || call === undefined) {
        parts.push(part);
        continue;
      }
      call.results = part.parts.length === 0 ? [text("")] : part.parts;
      const holder = holders.get(call);
      if (holder !== undefined) holder.isNew ||= entry.isNew;
    }
    if (parts.length === 0 && entry.parts.length > 0) continue;
    const own = { ...entry, parts };
    for (const part of parts) {
      if (part.kind !== "call") continue;
      open.push(part);
      holders.set(part, own);
    }
    found.push(own);
  }
  return found;
}
