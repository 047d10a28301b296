import { useTranslation } from "react-i18next";
import { milliseconds } from "@/shared/format";
import type { Turn } from "./api";

/** Where a turn's time went: waiting for a connection, for the first event, streaming. */
export function TurnTimes({ turn }: { turn: Turn }) {
  const { t } = useTranslation("turns");
  const first = turn.firstEventMs ?? turn.totalMs;
  const queue = Math.min(turn.queueMs, first);
  const phases = [
    { name: t("phases.queue"), length: queue, look: "chart-c5" },
    { name: t("phases.first"), length: Math.max(0, first - queue), look: "chart-c1" },
    { name: t("phases.stream"), length: Math.max(0, turn.totalMs - first), look: "chart-c0" },
  ].filter((phase) => phase.length > 0);
  const whole = Math.max(1, turn.totalMs);
  return (
    <section aria-label={t("timeline")}>
      <h3 className="mb-2 font-semibold">
        {t("timeline")} <span className="font-normal text-soft">{milliseconds(turn.totalMs)}</span>
      </h3>
      <div aria-hidden className="flex h-4 overflow-hidden rounded-md bg-sunken">
        {phases.map((phase) => (
          <span key={phase.name} className={phase.look} style={{ width: `${(phase.length / whole) * 100}%` }} />
        ))}
      </div>
      <ul className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-[13px]">
        {phases.map((phase) => (
          <li key={phase.name} className="flex items-center gap-1.5">
            <span aria-hidden className={`${phase.look} size-3 rounded-[3px]`} />
            {phase.name}: {milliseconds(phase.length)}
          </li>
        ))}
      </ul>
    </section>
  );
}
