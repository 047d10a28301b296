import { Link } from "@tanstack/react-router";
import type { Entry } from "./api";

/** The name of what was changed, and the way to it where it still is. */
export function NounLink({ entry, isEnded }: { entry: Entry; isEnded: boolean }) {
  const name = entry.nounName || entry.nounID;
  const look = "font-medium underline underline-offset-3";
  if (isEnded) return <span className="font-medium">{name}</span>;
  switch (entry.noun) {
    case "channel":
      return (
        <Link to="/channels/$channel" params={{ channel: entry.nounID }} className={look}>
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
