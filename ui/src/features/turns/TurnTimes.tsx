import { useTranslation } from "react-i18next";
import { milliseconds } from "@/shared/format";
import type { Turn } from "./columns";

const STEPS = [1, 2, 5];

/** Where a turn's time went, drawn to scale: waiting for a connection, until the first event, the rest. */
export function TurnTimes({ turn }: { turn: Turn }) {
  const { t } = useTranslation("turns");
  const whole = Math.max(1, turn.totalMs);
  const phases = phasesOf(turn);
  return (
    <section aria-label={t("timeline")}>
      <h3 className="mb-2 font-semibold">
        {t("timeline")} <span className="font-normal text-soft">{milliseconds(turn.totalMs)}</span>
      </h3>
      <ol className="space-y-1.5">
        {phases.map((phase) => (
          <li key={phase.name} className="grid grid-cols-[9rem_1fr] items-center gap-x-3 text-[13px] sm:grid-cols-[14rem_1fr]">
            <span className="min-w-0">
              <span className="text-soft">{t(`phases.${phase.name}`)}</span>{" "}
              <span className="whitespace-nowrap">{milliseconds(phase.length)}</span>
            </span>
            <span aria-hidden className="relative h-4 overflow-hidden rounded bg-sunken">
              <span
                className={`absolute inset-y-0 min-w-[3px] rounded-sm ${phase.look}`}
                style={{ left: `${(phase.start / whole) * 100}%`, width: `${(phase.length / whole) * 100}%` }}
              />
            </span>
          </li>
        ))}
      </ol>
      <Scale whole={whole} />
    </section>
  );
}

interface Phase {
  name: "queue" | "first" | "rest" | "noEvent";
  start: number;
  length: number;
  look: string;
}

/** The first event is counted from when the turn came, so the wait is a part of it. */
export function phasesOf(turn: Pick<Turn, "queueMs" | "firstEventMs" | "totalMs">): Phase[] {
  const queue = Math.min(turn.queueMs, turn.totalMs);
  const waited: Phase = { name: "queue", start: 0, length: queue, look: "chart-c5" };
  if (turn.firstEventMs === null) {
    return [waited, { name: "noEvent", start: queue, length: turn.totalMs - queue, look: "chart-c1" }];
  }
  const first = Math.min(Math.max(turn.firstEventMs, queue), turn.totalMs);
  return [
    waited,
    { name: "first", start: queue, length: first - queue, look: "chart-c1" },
    { name: "rest", start: first, length: turn.totalMs - first, look: "chart-c0" },
  ];
}

/** Round times below the bars. */
function Scale({ whole }: { whole: number }) {
  const step = stepOf(whole);
  const ticks = Array.from({ length: Math.floor(whole / step) + 1 }, (_, index) => index * step);
  return (
    <div aria-hidden className="mt-1 grid grid-cols-[9rem_1fr] gap-x-3 text-[11px] text-soft sm:grid-cols-[14rem_1fr]">
      <span />
      <span className="relative h-4">
        {ticks.map((at) => (
          <span
            key={at}
            className={`absolute border-l border-line-strong pl-1 whitespace-nowrap ${at / whole > 0.85 ? "invisible" : ""}`}
            style={{ left: `${(at / whole) * 100}%` }}
          >
            {milliseconds(at)}
          </span>
        ))}
      </span>
    </div>
  );
}

/** The smallest of 1, 2, 5, 10, 20 … ms that gives at most four parts. */
function stepOf(whole: number): number {
  for (let size = 1; ; size *= 10) {
    const found = STEPS.find((step) => whole / (step * size) <= 4);
    if (found !== undefined) return found * size;
  }
}
