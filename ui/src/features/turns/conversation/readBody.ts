/** What a kept body says, also where it was cut short or is a stream of events. */
export type Json = unknown;
export type Members = Record<string, Json>;

export interface ReadBody {
  /** Undefined where nothing of it can be read. */
  value: Json;
  /** Where it is a stream: its events, in order. */
  events: Members[];
  isWhole: boolean;
}

export function isMembers(value: Json): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function readBody(text: string): ReadBody {
  const value = parsed(text);
  if (value !== undefined) return { value, events: [], isWhole: true };
  if (/^(?:event|data|id|:)/.test(text)) {
    const { events, isWhole } = eventsOf(text);
    return { value: undefined, events, isWhole };
  }
  return { value: mended(text), events: [], isWhole: false };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function eventsOf(text: string): { events: Members[]; isWhole: boolean } {
  const data = text
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trim())
    .filter((line) => line !== "[DONE]" && line !== "");
  const events = data.map(parsed).filter(isMembers);
  return { events, isWhole: events.length === data.length };
}

/** The value of a text that ends too early: what is open is closed, what cannot be closed left out. */
function mended(text: string): Json {
  const { open, isInString, comma } = scanned(text);
  const whole = isInString ? `${text.replace(/\\(?:u[\da-f]{0,3})?$/i, "")}"` : text;
  const closed = parsed(whole + open.join(""));
  return closed === undefined && comma !== undefined ? parsed(text.slice(0, comma.at) + comma.open.join("")) : closed;
}

interface Scanned {
  /** What closes the values that are open, the innermost first. */
  open: string[];
  isInString: boolean;
  /** The last comma between values, and what was open there. */
  comma: { at: number; open: string[] } | undefined;
}

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*("|\\?$)|[[\]{},]/gs;

function scanned(text: string): Scanned {
  const found: Scanned = { open: [], isInString: false, comma: undefined };
  for (const { 0: token, 1: end, index } of text.matchAll(TOKENS)) {
    if (token.startsWith('"')) found.isInString = end !== '"';
    else if (token === "{") found.open = ["}", ...found.open];
    else if (token === "[") found.open = ["]", ...found.open];
    else if (token === ",") found.comma = { at: index, open: found.open };
    else found.open = found.open.slice(1);
  }
  return found;
}
