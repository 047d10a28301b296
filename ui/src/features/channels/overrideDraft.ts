/** Overrides as they are being written. */
import type { Channel, ChannelInput } from "./api";

export const ACTIONS = ["set", "default", "remove"] as const;
export const KINDS = ["member", "header"] as const;

export interface OverrideDraft {
  action: (typeof ACTIONS)[number];
  kind: (typeof KINDS)[number];
  name: string;
  value: string;
  /** Apart by commas; "" is all of them. */
  models: string;
  apis: string;
}

export const NO_OVERRIDE: OverrideDraft = { action: "set", kind: "member", name: "", value: "", models: "", apis: "" };

export function overridesOf(channel: Pick<Channel, "overrides">): OverrideDraft[] {
  return channel.overrides.map((each) => ({
    action: each.action as OverrideDraft["action"],
    kind: each.header === "" ? "member" : "header",
    name: each.member || each.header,
    value: each.value,
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

export function overrideInputs(drafts: readonly OverrideDraft[]): NonNullable<ChannelInput["overrides"]> {
  return drafts.map(({ action, kind, name, value, models, apis }) => ({
    action,
    member: kind === "member" ? name.trim() : null,
    header: kind === "header" ? name.trim() : null,
    value: action === "remove" ? null : kind === "member" ? jsonOf(value) : value.trim(),
    models: words(models),
    apis: words(apis),
  }));
}
