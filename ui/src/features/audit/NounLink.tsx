import { Link, type LinkProps } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Entry } from "./api";
import type { Shows } from "./changes";

/** The name of what was changed, and the way to it where it still is. */
export function NounLink({ entry, isEnded, shows }: { entry: Entry; isEnded: boolean; shows: Shows }) {
  const { t } = useTranslation("audit");
  const named = t(`names.${entry.noun}`, { defaultValue: entry.nounID });
  // An invitation for anybody has no name, and the settings have that of their only kind.
  const name = entry.nounName === "" || entry.noun === "settings" ? named : (budgetOf(entry, shows) ?? entry.nounName);
  const way = isEnded ? undefined : wayTo(entry);
  if (way === undefined) return <span className="font-medium">{name}</span>;
  return (
    <Link {...way} className="font-medium underline underline-offset-3">
      {name}
    </Link>
  );
}

/** Budgets are named by whose they are, as `project:ID dollars a month`. */
const BUDGET = /^(\w+):(\S+) (\w+) a (\w+)$/;

function budgetOf({ noun, nounName }: Entry, { name, word }: Shows): string | undefined {
  const [, kind, id = "", unit = "", period = ""] = (noun === "budget" && BUDGET.exec(nounName)) || [];
  return kind && `${word("kind", kind)} ${name(id)}, ${word("unit", unit)} ${word("period", period)}`;
}

function wayTo({ noun, nounID: id }: Entry): LinkProps | undefined {
  switch (noun) {
    case "channel":
      return { to: "/channels/$channel", params: { channel: id } };
    case "model":
      return { to: "/public-models", search: { model: id } };
    case "api-key":
      return { to: "/keys", search: { key: id } };
    case "project":
      return { to: "/projects", search: { project: id } };
    case "user":
      return { to: "/users", search: { user: id } };
    case "invitation":
      return { to: "/users", search: {} };
    case "alert-rule":
      return { to: "/alerts", search: { rule: id } };
    case "alert-destination":
      return { to: "/alerts", search: { destination: id } };
    case "budget":
      return { to: "/budgets", search: { budget: id } };
    case "settings":
      return { to: "/settings" };
    default:
      return undefined;
  }
}
