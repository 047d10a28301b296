import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Entry } from "./api";

/** The name of what was changed, and the way to it where it still is. */
export function NounLink({ entry, isEnded }: { entry: Entry; isEnded: boolean }) {
  const { t } = useTranslation("audit");
  const named = t(`names.${entry.noun}`, { defaultValue: entry.nounID });
  // An invitation for anybody has no name, and the settings have that of their only kind.
  const name = entry.nounName === "" || entry.noun === "settings" ? named : entry.nounName;
  const look = "font-medium underline underline-offset-3";
  if (isEnded) return <span className="font-medium">{name}</span>;
  switch (entry.noun) {
    case "channel":
      return (
        <Link to="/channels/$channel" params={{ channel: entry.nounID }} className={look}>
          {name}
        </Link>
      );
    case "model":
      return (
        <Link to="/public-models" search={{ model: entry.nounID }} className={look}>
          {name}
        </Link>
      );
    case "api-key":
      return (
        <Link to="/keys" search={{ key: entry.nounID }} className={look}>
          {name}
        </Link>
      );
    case "project":
      return (
        <Link to="/projects" search={{ project: entry.nounID }} className={look}>
          {name}
        </Link>
      );
    case "user":
      return (
        <Link to="/users" search={{ user: entry.nounID }} className={look}>
          {name}
        </Link>
      );
    case "invitation":
      return (
        <Link to="/users" search={{}} className={look}>
          {name}
        </Link>
      );
    case "alert-rule":
      return (
        <Link to="/alerts" search={{ rule: entry.nounID }} className={look}>
          {name}
        </Link>
      );
    case "alert-destination":
      return (
        <Link to="/alerts" search={{ destination: entry.nounID }} className={look}>
          {name}
        </Link>
      );
    case "budget":
      return (
        <Link to="/budgets" search={{}} className={look}>
          {name}
        </Link>
      );
    case "settings":
      return (
        <Link to="/settings" className={look}>
          {name}
        </Link>
      );
    default:
      return <span className="font-medium">{name}</span>;
  }
}
