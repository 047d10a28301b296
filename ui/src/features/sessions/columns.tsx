import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { SessionState } from "@/api/words";
import { useNow } from "@/shared/clock";
import { Badge, type Tone } from "@/shared/Badge";
import { bytes, duration } from "@/shared/format";
import { Strip } from "@/shared/Strip";
import type { WideColumn } from "@/shared/VirtualTable";
import type { LiveSession } from "./live";

const TONES: Record<SessionState, Tone> = { leased: "good", idle: "plain", dialing: "warn" };

/** `withNode` says at which node of several a connection is. */
export function useColumns(open: (session: LiveSession) => void, withNode: boolean): readonly WideColumn<LiveSession>[] {
  const { t } = useTranslation("sessions");
  return useMemo(
    () => [
      {
        key: "session",
        title: t("session"),
        width: "minmax(11rem, 1.2fr)",
        cell: (row) => (
          <button
            type="button"
            className="block w-full min-w-0 text-left"
            onClick={(event) => {
              event.stopPropagation();
              open(row);
            }}
          >
            <span className="block truncate font-medium">{row.channel}</span>
            <span className="block truncate font-mono text-[12px] text-soft">
              #{row.connection} {row.session === "" ? t("unnamed") : row.session}
            </span>
          </button>
        ),
      },
      {
        key: "strip",
        title: t("turns"),
        width: "minmax(16rem, 2.4fr)",
        cell: (row) => <Strip turns={row.recent} isInFlight={row.state === "leased"} />,
      },
      ...(withNode ? [{ key: "node", title: t("node"), width: "minmax(5rem, 0.6fr)", cell: (row: LiveSession) => row.node }] : []),
      { key: "age", title: t("age"), width: "14rem", cell: (row) => <Age session={row} /> },
      {
        key: "continued",
        title: t("continued"),
        width: "6.5rem",
        align: "right",
        cell: (row) => `${row.continued} / ${row.turns}`,
      },
      { key: "saved", title: t("saved"), width: "6.5rem", align: "right", cell: (row) => bytes(row.bytesSaved) },
      {
        key: "state",
        title: t("state"),
        width: "9.5rem",
        cell: (row) => (
          <span className="flex items-center gap-1.5">
            <Badge tone={TONES[row.state as SessionState]}>{t(`states.${row.state}`, { defaultValue: row.state })}</Badge>
            {row.waiting > 0 && <Badge tone="warn">+{row.waiting}</Badge>}
          </span>
        ),
      },
    ],
    [t, open, withNode],
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
      <span
        role="meter"
        aria-label={t("age")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(part * 100)}
        className="mt-1 block h-1 overflow-hidden rounded-full bg-sunken"
      >
        <span
          className={`block h-full rounded-full ${part > 0.9 ? "bg-warn" : "bg-accent"}`}
          style={{ width: `${part * 100}%` }}
        />
      </span>
    </span>
  );
}
