/** Lines over time. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ChartFrame, niceTop, timesOf } from "@/features/overview/ChartFrame";
import { useSpanFormat } from "@/features/overview/Key";
import { type Span, starts } from "@/features/overview/range";
import type { TurnsSearch } from "@/shared/TurnsLink";
import { type ChartLine, runsOf } from "./lines";

interface Props {
  lines: readonly ChartLine[];
  span: Span;
  /** What counts, as the log's address has it. */
  where: TurnsSearch;
  nameOf: (name: string) => string;
  show: (value: number | null) => string;
}

/** Besides colours, dashes: lines differ without either. */
const DASHES = ["", "6 3", "2 3", "9 3 2 3", "1 2"];
const WIDTH = 1_000;
const HEIGHT = 100;

export function LatencyChart({ lines, span, where, nameOf, show }: Props) {
  const { t } = useTranslation("latency");
  const time = useSpanFormat(span);
  const [at, setAt] = useState<number>();
  const beginnings = starts(span);
  const top = niceTop(Math.max(...lines.flatMap((line) => line.values.map((value) => value ?? 0)), 0));
  const looked = at === undefined ? undefined : beginnings[Math.min(at, beginnings.length - 1)];
  const textOf = (line: ChartLine) => `${nameOf(line.name)}: ${show(line.values[at ?? -1] ?? null)}`;
  const keys = (
    <>
      {looked !== undefined && <strong className="text-ink">{time(looked)}</strong>}
      {lines.map((line, index) => (
        <span key={line.name} className="flex min-w-0 items-center gap-1.5">
          <svg aria-hidden width="20" height="8" className="shrink-0">
            <line x1="0" x2="20" y1="4" y2="4" stroke={`var(--c${index})`} strokeWidth="2.5" strokeDasharray={DASHES[index]} />
          </svg>
          <span className="truncate">{looked === undefined ? nameOf(line.name) : textOf(line)}</span>
        </span>
      ))}
    </>
  );
  return (
    <ChartFrame
      span={span}
      starts={beginnings}
      at={at}
      onLook={setAt}
      top={top}
      show={show}
      keys={keys}
      search={{ ...where, ...timesOf(span, looked, span.step) }}
      label={looked === undefined ? t("chart") : `${time(looked)}: ${lines.map(textOf).join(", ")}`}
      height="h-40"
    >
      <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="absolute inset-0 size-full overflow-visible">
        {at !== undefined && (
          <rect x={(at * WIDTH) / beginnings.length} width={WIDTH / beginnings.length} height={HEIGHT} fill="var(--accent-wash)" />
        )}
        {lines.map((line, index) => (
          <Drawn key={line.name} line={line} index={index} top={top} count={beginnings.length} />
        ))}
      </svg>
    </ChartFrame>
  );
}

/** A point without neighbours is a short line of its own. */
function Drawn({ line, index, top, count }: { line: ChartLine; index: number; top: number; count: number }) {
  const x = (at: number) => (at * WIDTH) / count;
  const y = (value: number) => HEIGHT - (value / top) * HEIGHT;
  const pathOf = (run: [number, number][]) => {
    const middles = run.map(([at, value]) => `${x(at + 0.5)},${y(value)}`);
    const [first] = run;
    return run.length > 1 || first === undefined ? middles : [`${x(first[0])},${y(first[1])}`, `${x(first[0] + 1)},${y(first[1])}`];
  };
  return runsOf(line.values).map((run) => (
    <polyline
      key={run[0]?.[0]}
      points={pathOf(run).join(" ")}
      fill="none"
      stroke={`var(--c${index})`}
      strokeWidth="2.5"
      strokeDasharray={DASHES[index]}
      vectorEffect="non-scaling-stroke"
    />
  ));
}
