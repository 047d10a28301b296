/** A rule and a destination as they are being written. */
import type { TFunction } from "i18next";
import type { Destination, DestinationInput, Kind, Rule, RuleInput, Watched } from "./api";
import { exhaustive } from "@/api/records";
import { differencesOf } from "@/shared/draft";

const PERCENT = 100;
const MINUTE = 60;

/** Spans in minutes, a share in percent, as people write them. */
export interface RuleDraft {
  name: string;
  watched: Watched;
  threshold: string;
  window: string;
  lasts: string;
  leastTurns: string;
  repeatAfter: string;
  destination: string;
  enabled: boolean;
}

export const NEW_RULE: RuleDraft = {
  name: "",
  watched: "ERROR_RATE",
  threshold: "10",
  window: "15",
  lasts: "0",
  leastTurns: "20",
  repeatAfter: "0",
  destination: "",
  enabled: true,
};

const isShare = (kind: Kind | undefined) => kind?.unit === "SHARE";
const text = (value: number) => String(Number(value.toFixed(2)));

/** A threshold as it is written. */
export const thresholdText = (value: number, kind: Kind | undefined) => text(isShare(kind) ? value * PERCENT : value);

export const ruleDraftOf =
  (kinds: readonly Kind[]) =>
  (rule: Rule): RuleDraft => ({
    name: rule.name,
    watched: rule.watched,
    threshold: thresholdText(rule.threshold, kindOf(kinds, rule.watched)),
    window: text(rule.window / MINUTE),
    lasts: text(rule.lasts / MINUTE),
    leastTurns: String(rule.leastTurns),
    repeatAfter: text(rule.repeatAfter / MINUTE),
    destination: rule.destinations.join(","),
    enabled: rule.enabled,
  });

export const kindOf = (kinds: readonly Kind[], watched: Watched) => kinds.find((each) => each.watched === watched);

export function ruleInputOf(draft: RuleDraft, kinds: readonly Kind[]): RuleInput {
  const kind = kindOf(kinds, draft.watched);
  const seconds = (minutes: string) => Math.round(Number(minutes) * MINUTE);
  return {
    name: draft.name.trim(),
    watched: draft.watched,
    threshold: isShare(kind) ? Number(draft.threshold) / PERCENT : Number(draft.threshold),
    window: seconds(draft.window),
    lasts: seconds(draft.lasts),
    leastTurns: Math.round(Number(draft.leastTurns)),
    repeatAfter: seconds(draft.repeatAfter),
    destinations: draft.destination === "" ? [] : draft.destination.split(","),
    enabled: draft.enabled,
  };
}

const RULE_FIELDS = exhaustive<keyof RuleDraft>({
  name: true,
  watched: true,
  threshold: true,
  window: true,
  lasts: true,
  leastTurns: true,
  repeatAfter: true,
  destination: true,
  enabled: true,
});

export const ruleDifferences = (theirs: RuleDraft, yours: RuleDraft) => differencesOf(RULE_FIELDS, theirs, yours);

export interface DestinationDraft {
  name: string;
  kind: Destination["kind"];
  url: string;
  secret: string;
  format: Destination["format"];
  host: string;
  port: string;
  security: Destination["security"];
  user: string;
  password: string;
  sender: string;
  recipients: string;
  enabled: boolean;
}

export const NEW_DESTINATION: DestinationDraft = {
  name: "",
  kind: "WEBHOOK",
  url: "",
  secret: "",
  format: "GENERIC",
  host: "",
  port: "587",
  security: "STARTTLS",
  user: "",
  password: "",
  sender: "",
  recipients: "",
  enabled: true,
};

/** What is secret of it never comes back: an empty field leaves it as it is. */
export const SECRETS = ["url", "secret", "password"] as const satisfies readonly (keyof DestinationDraft)[];

export const destinationDraftOf = (destination: Destination): DestinationDraft => ({
  ...NEW_DESTINATION,
  name: destination.name,
  kind: destination.kind,
  format: destination.format,
  host: destination.host,
  port: String(destination.port),
  security: destination.security,
  user: destination.user,
  sender: destination.sender,
  recipients: destination.recipients.join(", "),
  enabled: destination.enabled,
});

export function destinationInputOf(draft: DestinationDraft): DestinationInput {
  const own = { name: draft.name.trim(), kind: draft.kind, enabled: draft.enabled };
  if (draft.kind === "WEBHOOK") {
    return { ...own, format: draft.format, ...secretsOf({ url: draft.url.trim(), secret: draft.secret.trim() }) };
  }
  return {
    ...own,
    host: draft.host.trim(),
    port: Math.round(Number(draft.port)),
    security: draft.security,
    user: draft.user.trim(),
    sender: draft.sender.trim(),
    recipients: draft.recipients
      .split(/[\s,;]+/)
      .filter((each) => each !== ""),
    ...secretsOf({ password: draft.password }),
  };
}

const secretsOf = (secrets: Record<string, string>) => Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== ""));

const DESTINATION_FIELDS = exhaustive<Exclude<keyof DestinationDraft, (typeof SECRETS)[number]>>({
  name: true,
  kind: true,
  format: true,
  host: true,
  port: true,
  security: true,
  user: true,
  sender: true,
  recipients: true,
  enabled: true,
});

export const destinationDifferences = (theirs: DestinationDraft, yours: DestinationDraft) =>
  differencesOf(DESTINATION_FIELDS, theirs, yours);

/** What the rules are called that are there from the start. */
const BUILT_IN = [
  "A channel rests",
  "An account must sign in",
  "A budget is nearly spent",
  "Many turns fail",
  "Fewer turns are continued",
  "Turns cannot be logged",
  "The turn log falls behind",
  "Turns were not logged",
  "The disk is nearly full",
  "A node is gone",
] as const;

/** What a rule is called: one of the start by its name in this language, until it gets another one. */
export function ruleName(name: string, t: TFunction<"alerts">): string {
  const known = BUILT_IN.find((each) => each === name);
  return known === undefined ? name : t(`builtIn.${known}`);
}
