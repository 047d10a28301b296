/** The log as a file: CSV as RFC 4180 has it, or JSON; page after page, never whole in memory as text. */
import type { fetchTurns, Turn } from "./api";

export type Kind = "csv" | "json";

export const COLUMNS = [
  "id",
  "startedAt",
  "requestID",
  "projectID",
  "keyID",
  "keyName",
  "session",
  "channelID",
  "channelName",
  "apiFormat",
  "transport",
  "continuity",
  "reason",
  "connection",
  "modelAsked",
  "modelServed",
  "streams",
  "outcome",
  "status",
  "errorCode",
  "attempts",
  "queueMs",
  "firstEventMs",
  "totalMs",
  "bytesReceived",
  "bytesSent",
  "inputTokens",
  "cachedTokens",
  "outputTokens",
  "reasoningTokens",
  "costUsd",
] as const satisfies readonly (keyof Turn)[];

/** A cell; what a table program would run as a formula becomes text. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvLine(turn: Turn): string {
  return COLUMNS.map((name) => cell(turn[name])).join(",");
}

/** Where a file goes: `write` takes its parts in order. */
export interface Sink {
  write: (text: string) => Promise<void>;
  /** The file is whole. */
  close: () => Promise<void>;
  /** It will not be: what is there is thrown away. */
  abort: () => Promise<void>;
}

export interface Progress {
  rows: number;
  /** How far back the rows reach by now. */
  until: string | null;
}

type Part = Awaited<ReturnType<typeof fetchTurns>>;

/** Writes all that matches, page after page. Rejects when `signal` ends it, with the sink aborted. */
export async function exported(
  kind: Kind,
  fetch: (after: string | null, signal: AbortSignal) => Promise<Part>,
  sink: Sink,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  let after: string | null = null;
  let rows = 0;
  try {
    await sink.write(kind === "csv" ? `${COLUMNS.join(",")}\r\n` : "[");
    do {
      const part: Part = await fetch(after, signal);
      signal.throwIfAborted();
      await sink.write(textOf(kind, part.nodes, rows === 0));
      rows += part.nodes.length;
      onProgress({ rows, until: part.nodes.at(-1)?.startedAt ?? null });
      after = part.pageInfo.hasNextPage ? part.pageInfo.endCursor : null;
    } while (after !== null);
    if (kind === "json") await sink.write("\n]\n");
  } catch (error) {
    await sink.abort();
    throw error;
  }
  await sink.close();
}

function textOf(kind: Kind, turns: readonly Turn[], isFirst: boolean): string {
  if (kind === "csv") return turns.map((turn) => `${csvLine(turn)}\r\n`).join("");
  return turns.map((turn, index) => `${isFirst && index === 0 ? "\n" : ",\n"}${JSON.stringify(turn)}`).join("");
}
