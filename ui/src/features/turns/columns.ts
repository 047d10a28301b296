/**
 * The columns of the turn log, in the order of its list and of a turn's detail: what both show of them, what is asked
 * for that, and what an export has. One that the schema gains fails the type check until it stands here.
 */
import { graphql, type ResultOf, type ScalarsOf } from "@/api/graphql";
import { bytes, type Format, milliseconds, UNKNOWN } from "@/shared/format";
import type { Texts } from "@/shared/i18n/texts";

export const DETAILS = graphql(`
  fragment DetailFields on TurnDetails {
    message
    headers { name value }
    attempts { channelID channelName transport trouble status code message endedMs }
  }
`);
export type Turn = ScalarsOf<"Turn"> & { details: ResultOf<typeof DETAILS> | null };

type Texted = Texts["turns"];
export type Label = { [Key in keyof Texted]: Texted[Key] extends string ? Key : never }[keyof Texted];

type Write<Value> = (value: NonNullable<Value>, format: Format) => string;

interface Column<Value> {
  label: Label;
  /** How it is written; as it is, unless said here. */
  text?: Write<Value>;
  /** Its place in the list, if it has one. */
  list?: Place;
  /** The group of the detail that tells it, if one does. */
  detail?: Group;
}
export interface Place {
  /** Its least width. */
  rem: number;
  /** Its share of what is left. */
  grow?: number;
  align?: "right";
  /** Where the cell shows more than the column itself. */
  label?: Label;
}
export type Group = "figures" | "whose";

/** Stands in the export alone, or in the cell of another column. */
type Unseen = Record<string, never>;

const whole = (value: number, format: Format) => format.whole(value);

export const COLUMNS = {
  startedAt: { label: "time", list: { rem: 9.5 } },
  reason: { label: "how", list: { rem: 9.15, grow: 1.2 } },
  changed: { label: "changed", detail: "whose" },
  outcome: {},
  modelAsked: { label: "model", list: { rem: 9.7, grow: 1, label: "modelAndAPI" }, detail: "whose" },
  modelServed: { label: "served", detail: "whose" },
  apiFormat: { label: "api", detail: "whose" },
  upstreamAPI: { label: "upstreamApi", detail: "whose" },
  streams: {},
  dropped: { label: "dropped", detail: "whose" },
  transport: {},
  channelID: {},
  accountID: { label: "account", detail: "whose" },
  channelName: { label: "channel", list: { rem: 5.75, grow: 0.8 }, detail: "whose" },
  connection: { label: "connection", text: (value) => `#${value}`, detail: "whose" },
  session: { label: "session", detail: "whose" },
  node: { label: "node", detail: "whose" },
  keyID: {},
  keyName: { label: "key", list: { rem: 4.3, grow: 0.7 }, detail: "whose" },
  projectID: { label: "project", detail: "whose" },
  requestID: { label: "requestID", detail: "whose" },
  responseID: { label: "responseID", detail: "whose" },
  trace: { label: "trace", detail: "whose" },
  id: { label: "turnID", detail: "whose" },
  bytesReceived: { label: "received", text: bytes, list: { rem: 5, align: "right" }, detail: "figures" },
  bytesSent: { label: "sent", text: bytes, list: { rem: 4.75, align: "right" }, detail: "figures" },
  inputTokens: { label: "input", text: whole, list: { rem: 8.4, align: "right", label: "tokens" }, detail: "figures" },
  cachedTokens: { label: "cached", text: whole, detail: "figures" },
  outputTokens: { label: "output", text: whole, detail: "figures" },
  reasoningTokens: { label: "reasoning", text: whole, detail: "figures" },
  isEstimated: { label: "usage", detail: "figures" },
  queueMs: {},
  firstEventMs: { label: "first", text: milliseconds, list: { rem: 6, align: "right" } },
  totalMs: { label: "total", text: milliseconds, list: { rem: 4.75, align: "right" } },
  costUsd: { label: "cost", text: (value, format) => format.money(value), list: { rem: 5.75, align: "right" }, detail: "figures" },
  attempts: { label: "attempts", detail: "figures" },
  continuity: { label: "continuity", detail: "figures" },
  status: { label: "status", detail: "figures" },
  errorCode: { label: "errorCode", detail: "figures" },
  details: {},
} as const satisfies { [Name in keyof Turn]: Column<Turn[Name]> | Unseen };

type With<Part> = { [Name in keyof Turn]: (typeof COLUMNS)[Name] extends Part ? Name : never }[keyof Turn];
type Listed = With<{ list: object }>;
type Detailed = With<{ detail: Group }>;

const NAMES = Object.keys(COLUMNS) as (keyof Turn)[];
export const LISTED = NAMES.filter((name): name is Listed => "list" in COLUMNS[name]);

export function detailed(group: Group): Detailed[] {
  return NAMES.filter((name): name is Detailed => "detail" in COLUMNS[name]).filter((name) => COLUMNS[name].detail === group);
}

/** What an export has, the id first. */
export const EXPORTED: readonly (keyof Turn)[] = ["id", ...NAMES.filter((name) => name !== "id")];

/** What cells of the list read beside their own column. A long list is held in memory, so a row is no more than both. */
const BESIDE = ["id", "apiFormat", "upstreamAPI", "continuity", "outcome", "errorCode", "cachedTokens", "node"] as const satisfies readonly (keyof Turn)[];
export const ROW_FIELDS = [...LISTED, ...BESIDE];
export type Row = Pick<Turn, (typeof ROW_FIELDS)[number]>;
export const TURN_FIELDS = EXPORTED.filter((name) => name !== "details");

/** A column as a text; a dash for nothing. */
export function textOf<Name extends keyof Turn>(name: Name, turn: Pick<Turn, Name>, format: Format): string {
  const value = turn[name];
  if (value === null || value === "") return UNKNOWN;
  const columns: { [Each in keyof Turn]: Partial<Column<Turn[Each]>> } = COLUMNS;
  const { text } = columns[name];
  return text === undefined ? String(value) : text(value, format);
}
