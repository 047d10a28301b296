/** The log as a file: CSV as RFC 4180 has it, or JSON; page after page, with its progress. */
import { fetchPage, type Turn, type TurnFilter } from "./api";

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

/** Reads all that matches and returns the file. `onProgress` gets how many rows there are so far. */
export async function exported(
  kind: Kind,
  filter: TurnFilter,
  onProgress: (rows: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const parts: string[] = [kind === "csv" ? `${COLUMNS.join(",")}\r\n` : "["];
  let after: string | null = null;
  let rows = 0;
  do {
    const page: Awaited<ReturnType<typeof fetchPage>> = await fetchPage(filter, after, signal);
    for (const turn of page.nodes) {
      parts.push(kind === "csv" ? `${csvLine(turn)}\r\n` : `${rows > 0 ? ",\n" : "\n"}${JSON.stringify(turn)}`);
      rows += 1;
    }
    onProgress(rows);
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  if (kind === "json") parts.push("\n]\n");
  return new Blob(parts, { type: kind === "csv" ? "text/csv" : "application/json" });
}

export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
