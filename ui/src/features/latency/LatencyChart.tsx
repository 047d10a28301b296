/** Lines over time: one place for the keyboard, in which arrow keys go from span to span, and Enter to its turns. */
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSpanFormat } from "@/features/overview/Key";
import { niceTop } from "@/features/overview/TimeChart";
import { type Span, starts } from "@/features/overview/range";
import { TurnsLink, type TurnsSearch } from "@/shared/TurnsLink";
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
const iso = (time: number) => new Date(time).toISOString();

export function LatencyChart({ lines, span, where, nameOf, show }: Props) {
  const { t } = useTranslation(["latency", "overview"]);
  const time = useSpanFormat(span);
  const [at, setAt] = useState<number>();
  const beginnings = starts(span);
  const last = beginnings.length - 1;
  const top = niceTop(Math.max(...lines.flatMap((line) => line.values.map((value) => value ?? 0)), 0));
  const looked = at === undefined ? undefined : beginnings[Math.min(at, last)];
  const valueOf = (line: ChartLine) => show(line.values[at ?? -1] ?? null);
  const said = lines.map((line) => `${nameOf(line.name)}: ${valueOf(line)}`);
  const move = (to: number) => setAt(Math.max(0, Math.min(last, to)));
  const point = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    move(Math.floor(((event.clientX - left) / width) * beginnings.length));
  };
  const press = (event: KeyboardEvent<HTMLElement>) => {
    const to = { ArrowRight: (at ?? -1) + 1, ArrowLeft: (at ?? last + 1) - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };
  const times = looked === undefined ? { since: span.since } : { since: iso(looked), until: iso(looked + span.step) };
  return (
    <figure>
      <figcaption className="mb-2 flex min-h-6 flex-wrap items-center gap-x-4 gap-y-1 text-[13px] text-soft" aria-live="polite">
        {looked !== undefined && <strong className="text-ink">{time(looked)}</strong>}
        {lines.map((line, index) => (
          <span key={line.name} className="flex min-w-0 items-center gap-1.5">
            <svg aria-hidden width="20" height="8" className="shrink-0">
              <line x1="0" x2="20" y1="4" y2="4" stroke={`var(--c${index})`} strokeWidth="2.5" strokeDasharray={DASHES[index]} />
            </svg>
            <span className="truncate">{looked === undefined ? nameOf(line.name) : said[index]}</span>
          </span>
        ))}
        <span className="ml-auto">{t(span.span === "DAY" ? "overview:daysAreUTC" : "overview:hoursAreLocal")}</span>
      </figcaption>
      <div className="grid grid-cols-[auto_1fr] gap-x-2">
        <div className="flex h-40 flex-col justify-between text-right text-[12px] text-soft">
          <span className="-translate-y-1/2">{show(top)}</span>
          <span>{show(top / 2)}</span>
          <span className="translate-y-1/2">{show(0)}</span>
        </div>
        <div
          className="min-w-0"
          onPointerMove={point}
          onPointerDown={point}
          onPointerLeave={(event) => event.pointerType === "mouse" && setAt(undefined)}
          onKeyDown={press}
          onBlur={() => setAt(undefined)}
        >
          <TurnsLink search={{ ...where, ...times }} className="relative block h-40 border-b border-line-strong chart-lines">
            <span className="sr-only">{looked === undefined ? t("chart") : `${time(looked)}: ${said.join(", ")}`}</span>
            <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="absolute inset-0 size-full overflow-visible">
              {at !== undefined && (
                <rect x={(at * WIDTH) / beginnings.length} width={WIDTH / beginnings.length} height={HEIGHT} fill="var(--accent-wash)" />
              )}
              {lines.map((line, index) => (
                <Drawn key={line.name} line={line} index={index} top={top} count={beginnings.length} />
              ))}
            </svg>
          </TurnsLink>
        </div>
        <span />
        <div className="mt-1 flex justify-between text-[12px] text-soft">
          {[0, Math.floor(last / 2), last].map((index) => (
            <span key={index}>{beginnings[index] === undefined ? "" : time(beginnings[index])}</span>
          ))}
        </div>
      </div>
    </figure>
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
