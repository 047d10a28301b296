import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { SessionState } from "@/api/words";
import { useNow } from "@/shared/clock";
import { Badge, type Tone } from "@/shared/Badge";
import { bytes, duration } from "@/shared/format";
import { Meter } from "@/shared/Meter";
import { Strip } from "@/shared/Strip";
import type { WideColumn } from "@/shared/VirtualTable";
import type { Group, LiveRow } from "./grouped";
import type { LiveSession } from "./live";
import { RunLink } from "./RunLink";

const TONES: Record<SessionState, Tone> = { leased: "good", idle: "plain", dialing: "warn" };

/** `withNode` says at which node of several a connection is. */
export function useColumns(open: (session: LiveSession) => void, withNode: boolean): readonly WideColumn<LiveRow>[] {
  const { t } = useTranslation("sessions");
  return useMemo(
    () => [
      {
        key: "session",
        title: t("session"),
        width: "minmax(11rem, 1.2fr)",
        cell: (row) =>
          row.kind === "group" ? (
            <GroupName group={row} />
          ) : (
            <ConnectionName session={row.connection} isBelow={row.isBelow} onOpen={open} />
          ),
      },
      {
        key: "strip",
        title: t("turns"),
        width: "minmax(16rem, 2.4fr)",
        cell: (row) => row.kind === "connection" && <Strip turns={row.connection.recent} isInFlight={row.connection.state === "leased"} />,
      },
      ...(withNode ? [{ key: "node", title: t("node"), width: "minmax(5rem, 0.6fr)", cell: (row: LiveRow) => row.kind === "connection" && row.connection.node }] : []),
      { key: "age", title: t("age"), width: "14rem", cell: (row) => row.kind === "connection" && <Age session={row.connection} /> },
      {
        key: "continued",
        title: t("continued"),
        width: "6.5rem",
        align: "right",
        cell: (row) => `${sumOf(row, "continued")} / ${sumOf(row, "turns")}`,
      },
      { key: "saved", title: t("saved"), width: "6.5rem", align: "right", cell: (row) => bytes(sumOf(row, "bytesSaved")) },
      {
        key: "state",
        title: t("state"),
        width: "9.5rem",
        cell: (row) => row.kind === "connection" && <State session={row.connection} />,
      },
    ],
    [t, open, withNode],
  );
}

function sumOf(row: LiveRow, figure: "turns" | "continued" | "bytesSaved"): number {
  return row.kind === "connection" ? row.connection[figure] : row.connections.reduce((sum, each) => sum + each[figure], 0);
}

/** A session with several connections: they stand below. */
function GroupName({ group: { connections } }: { group: Group }) {
  const { t } = useTranslation("sessions");
  const [first] = connections;
  if (first === undefined) return null;
  const name = <span className="block truncate font-medium">{first.session}</span>;
  const models = [...new Set(connections.map((each) => each.model))].filter((each) => each !== "");
  return (
    <>
      {first.run === "" ? name : <RunLink kind="session" id={first.run} className="block underline">{name}</RunLink>}
      <span className="block truncate text-[12px] text-soft">
        {[first.keyName, ...models, t("together", { count: connections.length })].filter((each) => each !== "").join(" · ")}
      </span>
    </>
  );
}

function ConnectionName({ session, isBelow, onOpen }: { session: LiveSession; isBelow: boolean; onOpen: (session: LiveSession) => void }) {
  const { t } = useTranslation("sessions");
  const place = `${session.channel} #${session.connection}`;
  const whose = isBelow ? [session.model] : [session.keyName, session.model, place];
  return (
    <button
      type="button"
      className={`block w-full min-w-0 text-left ${isBelow ? "border-l-2 border-line pl-3" : ""}`}
      onClick={(event) => {
        event.stopPropagation();
        onOpen(session);
      }}
    >
      <span className="block truncate font-medium">{isBelow ? place : session.session === "" ? t("unnamed") : session.session}</span>
      <span className="block truncate text-[12px] text-soft">{whose.filter((each) => each !== "").join(" · ")}</span>
    </button>
  );
}

function State({ session }: { session: LiveSession }) {
  const { t } = useTranslation("sessions");
  return (
    <span className="flex items-center gap-1.5">
      <Badge tone={TONES[session.state as SessionState]}>{t(`states.${session.state}`, { defaultValue: session.state })}</Badge>
      {session.waiting > 0 && <Badge tone="warn">+{session.waiting}</Badge>}
    </span>
  );
}

/** How much of its life a connection has behind it. */
export function Age({ session }: { session: LiveSession }) {
  const { t } = useTranslation("sessions");
  const age = Math.max(0, (useNow() - session.bornAt) / 1_000);
  const part = session.lifetime === null ? 0 : Math.min(1, age / session.lifetime);
  return (
    <span className="block">
      <span className="block text-[13px] whitespace-nowrap">
        {duration(age)}
        {session.lifetime !== null && <span className="text-soft"> / {duration(session.lifetime)}</span>}
      </span>
      <Meter label={t("age")} part={part} tone={part > 0.9 ? "warn" : "good"} className="mt-1 h-1" />
    </span>
  );
}
