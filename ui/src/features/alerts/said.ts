/** What the server says of an alert in English, in the language of the page. */
import type { TFunction } from "i18next";
import { ALERT_LABELS, ALERT_NOTES, PROBLEMS } from "@/api/words";
import type { Format } from "@/shared/format";
import type { Alert } from "./api";

export type T = TFunction<["alerts", "budgets", "turns"]>;

/** What stands behind it; what the server says otherwise than usual stays as it is. */
export function noteOf({ watched, note }: Pick<Alert, "watched" | "note">, format: Format, t: T): string {
  if (!isKey(ALERT_NOTES, watched)) return note;
  const found = valuesIn(ALERT_NOTES[watched], note);
  if (found === undefined) return note;
  const values = Object.entries(found).map(([name, value]) => [name, valueText(value, format, t)]);
  return t(`notes.${watched}`, { replace: Object.fromEntries(values) });
}

/** A budget is labelled by whose it is, as `project Default, dollars of this month`. */
const BUDGET = /^(\w+) (.*), (\w+) of this (\w+)$/;

/** What it is about: a name that somebody gave, or what the server calls it. */
export function labelOf({ label, watched }: Pick<Alert, "label" | "watched">, t: T): string {
  if (isKey(ALERT_LABELS, watched)) {
    const values = valuesIn(ALERT_LABELS[watched], label);
    return values === undefined ? label : t(`labels.${watched}`, { replace: values });
  }
  const [, kind, name = "", unit = "", period = ""] = (watched === "BUDGET_SHARE" && BUDGET.exec(label)) || [];
  if (kind === undefined) return label;
  const word = (of: "kinds" | "units" | "periods", value: string) => t(`budgets:${of}.${value.toUpperCase()}`, { defaultValue: value });
  return `${word("kinds", kind)} ${name}, ${word("units", unit)} ${word("periods", period)}`;
}

const isKey = <Known extends object>(known: Known, word: PropertyKey): word is keyof Known => Object.hasOwn(known, word);

/** The values in a text that was made of a sentence such as `{failures} of {turns} turns failed.` */
function valuesIn(sentence: string, text: string): Record<string, string> | undefined {
  const parts = sentence.split(/\{(\w+)\}/).map((part, at) => (at % 2 === 0 ? part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : `(?<${part}>.*)`));
  const found = new RegExp(`^${parts.join("")}$`, "s").exec(text);
  return found === null ? undefined : { ...found.groups };
}

function valueText(value: string, format: Format, t: T): string {
  if (/^\d+$/.test(value)) return format.whole(Number(value));
  if (/^\d+%$/.test(value)) return format.percent(Number.parseInt(value) / 100);
  const problem = (Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[]).find((each) => PROBLEMS[each] === value);
  return problem === undefined ? value : t(`turns:troubles.${problem}`);
}
