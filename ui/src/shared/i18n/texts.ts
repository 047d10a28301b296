/** The texts that `t` knows: a key that a language lacks fails the type check, and so does a word without a text. */
import "i18next";
import type { ALERT_LABELS, ALERT_NOTES, PROBLEMS, Reason, Transport } from "@/api/words";

type Both<English extends Words, _Other extends English, Words = unknown> = English;

/** Words that come as texts: no `t` demands theirs. */
interface AppWords {
  reasons: Record<Reason, string>;
  reasonShort: Record<Reason, string>;
  transports: Record<Transport, string>;
}
interface TurnWords {
  advice: Record<Reason, string>;
  troubles: Record<keyof typeof PROBLEMS, string>;
}
/** What the server says of an alert, in words of the page's own. */
interface AlertWords {
  notes: Record<keyof typeof ALERT_NOTES, string>;
  labels: Record<keyof typeof ALERT_LABELS, string>;
}

export interface Texts {
  app: Both<typeof import("./en.json"), typeof import("./zh-CN.json"), AppWords>;
  alerts: Both<typeof import("@/features/alerts/en.json"), typeof import("@/features/alerts/zh-CN.json"), AlertWords>;
  audit: Both<typeof import("@/features/audit/en.json"), typeof import("@/features/audit/zh-CN.json")>;
  budgets: Both<typeof import("@/features/budgets/en.json"), typeof import("@/features/budgets/zh-CN.json")>;
  channels: Both<typeof import("@/features/channels/en.json"), typeof import("@/features/channels/zh-CN.json")>;
  docs: Both<typeof import("@/features/docs/en.json"), typeof import("@/features/docs/zh-CN.json")>;
  keys: Both<typeof import("@/features/keys/en.json"), typeof import("@/features/keys/zh-CN.json")>;
  models: Both<typeof import("@/features/models/en.json"), typeof import("@/features/models/zh-CN.json")>;
  nodes: Both<typeof import("@/features/nodes/en.json"), typeof import("@/features/nodes/zh-CN.json")>;
  latency: Both<typeof import("@/features/latency/en.json"), typeof import("@/features/latency/zh-CN.json")>;
  overview: Both<typeof import("@/features/overview/en.json"), typeof import("@/features/overview/zh-CN.json")>;
  playground: Both<typeof import("@/features/playground/en.json"), typeof import("@/features/playground/zh-CN.json")>;
  projects: Both<typeof import("@/features/projects/en.json"), typeof import("@/features/projects/zh-CN.json")>;
  sessions: Both<typeof import("@/features/sessions/en.json"), typeof import("@/features/sessions/zh-CN.json")>;
  settings: Both<typeof import("@/features/settings/en.json"), typeof import("@/features/settings/zh-CN.json")>;
  signin: Both<typeof import("@/features/signin/en.json"), typeof import("@/features/signin/zh-CN.json")>;
  start: Both<typeof import("@/features/start/en.json"), typeof import("@/features/start/zh-CN.json")>;
  turns: Both<typeof import("@/features/turns/en.json"), typeof import("@/features/turns/zh-CN.json"), TurnWords>;
  users: Both<typeof import("@/features/users/en.json"), typeof import("@/features/users/zh-CN.json")>;
}

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "app";
    resources: Texts;
  }
}
