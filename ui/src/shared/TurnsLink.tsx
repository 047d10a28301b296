/** The way into the turn log, filtered. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** As the log's address has them; what is left out is any. Times are ISO 8601. */
export interface TurnsSearch {
  since?: string | undefined;
  until?: string | undefined;
  channel?: string | undefined;
  key?: string | undefined;
  project?: string | undefined;
  model?: string | undefined;
  session?: string | undefined;
  continuity?: string | undefined;
  /** Why they were not continued. */
  reason?: string | undefined;
  trace?: string | undefined;
  /** As the log names it. */
  api?: string | undefined;
  /** The API that the upstream was asked in. */
  upstream?: string | undefined;
  node?: string | undefined;
  outcome?: string | undefined;
  /** An error code. */
  error?: string | undefined;
  failed?: "1" | undefined;
  /** The turn whose detail is open. */
  open?: string | undefined;
}

export function TurnsLink({
  search,
  className,
  children,
}: {
  search: TurnsSearch;
  className?: string;
  children: ReactNode;
}) {
  return (
    <Link to="/turns" search={{ ...search } as Record<string, string>} className={className ?? ""}>
      {children}
    </Link>
  );
}
