/** Overrides as they are being written. */
import type { Channel, ChannelInput } from "./api";

export const ACTIONS = ["set", "default", "remove"] as const;
export const KINDS = ["member", "header"] as const;

export interface OverrideDraft {
  action: (typeof ACTIONS)[number];
  kind: (typeof KINDS)[number];
  name: string;
  value: string;
  /** Whether a header has a value, which never comes out: it stays unless another is typed. */
  isKept: boolean;
  /** Apart by commas; "" is all of them. */
  models: string;
  apis: string;
}

export const NO_OVERRIDE: OverrideDraft = { action: "set", kind: "member", name: "", value: "", isKept: false, models: "", apis: "" };

export function overridesOf(channel: Pick<Channel, "overrides">): OverrideDraft[] {
  return channel.overrides.map((each) => ({
    action: each.action as OverrideDraft["action"],
    kind: each.header === "" ? "member" : "header",
    name: each.member || each.header,
    value: each.value ?? "",
    isKept: each.value === null,
    models: each.models.join(", "),
    apis: each.apis.join(", "),
  }));
}

const words = (list: string) => list.split(",").map((each) => each.trim()).filter(Boolean);

/** JSON as it is typed; a bare word is a text. What begins as JSON is the gateway's to refuse. */
export function jsonOf(typed: string): string {
  const text = typed.trim();
  try {
    JSON.parse(text);
  } catch {
    return /^[[{"]/.test(text) || text === "" ? text : JSON.stringify(text);
  }
  return text;
}

function valueOf({ action, kind, value, isKept }: OverrideDraft): string | null {
  if (action === "remove") return null;
  if (kind === "member") return jsonOf(value);
  return isKept && value === "" ? null : value.trim();
}

export function overrideInputs(drafts: readonly OverrideDraft[]): NonNullable<ChannelInput["overrides"]> {
  return drafts.map((draft) => ({
    action: draft.action,
    member: draft.kind === "member" ? draft.name.trim() : null,
    header: draft.kind === "header" ? draft.name.trim() : null,
    value: valueOf(draft),
    models: words(draft.models),
    apis: words(draft.apis),
  }));
}
