/** The kinds of marks: what a turn's word in a session's strip looks like. */
export type MarkKind = "continued" | "begun" | "fresh" | "given" | "failed" | "abandoned";

const KINDS: Record<string, MarkKind> = {
  continued: "continued",
  "as-given": "given",
  new_session: "begun",
  one_shot: "begun",
  warm_up: "begun",
  http_transport: "begun",
  failed: "failed",
  abandoned: "abandoned",
};

export function kindOf(turn: string): MarkKind {
  return KINDS[turn] ?? "fresh";
}

export interface Told {
  continuity: string;
  reason: string;
  outcome: string;
  errorCode: string;
}

/** The word of a turn of the log, as the gateway's strip has it. */
export function wordOf(turn: Told): string {
  if (turn.outcome === "abandoned") return "abandoned";
  if (turn.errorCode !== "") return "failed";
  return turn.reason || turn.continuity;
}
