import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Kind } from "./runs";

/** The way to the page of a session or a trace. */
export function RunLink({ kind, id, className, children }: { kind: Kind; id: string; className?: string; children: ReactNode }) {
  const look = className ?? "";
  return kind === "session" ? (
    <Link to="/sessions/$session" params={{ session: id }} className={look}>
      {children}
    </Link>
  ) : (
    <Link to="/traces/$trace" params={{ trace: id }} className={look}>
      {children}
    </Link>
  );
}
