/** The log as a file: CSV as RFC 4180 has it, or JSON; page after page, never whole in memory as text. */
import type { fetchTurns } from "./api";
import { EXPORTED, type Turn } from "./columns";

export type Kind = "csv" | "json";

/** A cell; what a table program would run as a formula becomes text, what has parts JSON. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  let text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvLine(turn: Turn): string {
  return EXPORTED.map((name) => cell(turn[name])).join(",");
}

export interface Progress {
  rows: number;
  /** How far back the rows reach by now. */
  until: string | null;
}

type Part = Awaited<ReturnType<typeof fetchTurns>>;

/** Reads all that matches, page after page, and returns the file. Rejects when `signal` ends it. */
export async function exported(
  kind: Kind,
  fetch: (after: string | null, signal: AbortSignal) => Promise<Part>,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Blob> {
  // Each page becomes a blob at once: browsers keep those outside the page's memory.
  const parts = [new Blob([kind === "csv" ? `${EXPORTED.join(",")}\r\n` : "["])];
  let after: string | null = null;
  let rows = 0;
  do {
    const part: Part = await fetch(after, signal);
    signal.throwIfAborted();
    parts.push(new Blob([textOf(kind, part.nodes, rows === 0)]));
    rows += part.nodes.length;
    onProgress({ rows, until: part.nodes.at(-1)?.startedAt ?? null });
    after = part.pageInfo.hasNextPage ? part.pageInfo.endCursor : null;
  } while (after !== null);
  if (kind === "json") parts.push(new Blob(["\n]\n"]));
  return new Blob(parts, { type: kind === "csv" ? "text/csv" : "application/json" });
}

const KEPT_FOR = 60_000;

/** Downloads a file. */
export function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_FOR);
}

function textOf(kind: Kind, turns: readonly Turn[], isFirst: boolean): string {
  if (kind === "csv") return turns.map((turn) => `${csvLine(turn)}\r\n`).join("");
  return turns.map((turn, index) => `${isFirst && index === 0 ? "\n" : ",\n"}${JSON.stringify(turn)}`).join("");
}
