/** What a conversation consists of, whatever API it was held in; and the parts that several of them have. */
import { isMembers, type Json, type Members } from "./readBody";

export type Part =
  | { kind: "text"; text: string }
  /** Empty where it is sealed. */
  | { kind: "reasoning"; text: string }
  | { kind: "call"; id: string; name: string; input: string; results: Part[] }
  | { kind: "result"; id: string; name: string; parts: Part[] }
  /** A `data:` URL that may be shown, or "": nothing is ever fetched. */
  | { kind: "image"; source: string }
  | { kind: "other"; text: string };

export interface Message {
  role: string;
  parts: Part[];
}

/** How one API writes conversations. */
export interface Reader {
  /** The member that has the items. */
  list: string;
  instructions: (body: Members) => Part[];
  message: (item: Json) => Message;
  /** The items of an answer, as they are in the history of the next request. */
  answer: (body: Members) => Json[];
}

const LONGEST_IMAGE = 2_000_000;
/** No SVG: it is a document. */
const IMAGE = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z\d+/=]*$/;

export const text = (value: Json): Part => ({ kind: "text", text: String(value) });
export const other = (value: Json): Part => ({ kind: "other", text: JSON.stringify(value, null, 2) ?? "" });
export const reasoning = (value: Json): Part => ({ kind: "reasoning", text: typeof value === "string" ? value : "" });

export function image(url: Json): Part {
  const isShown = typeof url === "string" && url.length <= LONGEST_IMAGE && IMAGE.test(url);
  return { kind: "image", source: isShown ? url : "" };
}

export function called(id: Json, name: Json, input: Json): Part {
  return { kind: "call", id: word(id), name: word(name), input: prettyInput(input), results: [] };
}

export function result(id: Json, parts: Part[], name: Json = ""): Part {
  return { kind: "result", id: word(id), name: word(name), parts };
}

export const word = (value: Json): string => (typeof value === "string" ? value : "");
export const listOf = (value: Json): Json[] => (Array.isArray(value) ? value : value == null ? [] : [value]);
/** The members of a value; none where it has none. */
export const membersOf = (value: Json): Members => (isMembers(value) ? value : {});

/** Parts of a content that is a text or a list. */
export function contentOf(content: Json, part: (each: Members) => Part): Part[] {
  return listOf(content).map((each) => (typeof each === "string" ? text(each) : isMembers(each) ? part(each) : other(each)));
}

/** Arguments are JSON in a text with some APIs, and JSON with others. */
function prettyInput(input: Json): string {
  if (typeof input !== "string") return input === undefined ? "" : JSON.stringify(input, null, 2);
  try {
    return JSON.stringify(JSON.parse(input), null, 2);
  } catch {
    return input;
  }
}
