/** Bars over time: one place for the keyboard, in which arrow keys go from bar to bar, and Enter to its turns. */
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { bytes, useFormat } from "@/shared/format";
import { TurnsLink, type TurnsSearch } from "@/shared/TurnsLink";
import { fillOf, Key, useSpanFormat } from "./Key";
import { type Span, starts } from "./range";
import { type Bar, barsOf, type By, joined, type Metric, OTHERS, type Point } from "./usage";
import { useWidth } from "./useWidth";

/** Narrower bars than this, in px, are joined. */
const LEAST = 6;

export interface ChartProps {
  points: readonly Point[];
  metric: Metric;
  by: By;
  span: Span;
  /** What counts, as the log's address has it. */
  where: TurnsSearch;
  nameOf: (name: string) => string;
}

export function TimeChart({ points, metric, span, where, nameOf }: ChartProps) {
  const { t } = useTranslation("overview");
  const show = useShown(metric);
  const time = useSpanFormat(span);
  const [at, setAt] = useState<number>();
  const [area, width] = useWidth();
  const found = barsOf(points, metric, starts(span));
  const { names } = found;
  const { bars, size } = joined(found.bars, width / LEAST);
  const step = size * span.step;
  const top = niceTop(Math.max(...bars.map((bar) => bar.total), 0));
  const label = (name: string) => (name === OTHERS ? t("others") : nameOf(name));
  // What is looked at may be gone where the page has become narrower.
  const looked = at === undefined ? undefined : bars[Math.min(at, bars.length - 1)];
  const isUTC = span.span === "DAY";
  return (
    <figure>
      <figcaption className="mb-2 flex min-h-6 flex-wrap items-center gap-x-4 gap-y-1 text-[13px] text-soft" aria-live="polite">
        {looked === undefined ? (
          names.map((name, index) => <Key key={name} index={index} text={label(name)} />)
        ) : (
          <>
            <strong className="text-ink">{time(looked.start)}</strong>
            {looked.parts
              .filter((part) => part.value > 0)
              .map((part) => (
                <Key key={part.name} index={names.indexOf(part.name)} text={`${label(part.name)}: ${show(part.value)}`} />
              ))}
            {looked.total === 0 && <span>{show(0)}</span>}
          </>
        )}
        <span className="ml-auto">{t(isUTC ? "daysAreUTC" : "hoursAreLocal")}</span>
      </figcaption>
      <div className="grid grid-cols-[auto_1fr] gap-x-2">
        <div className="flex h-48 flex-col justify-between text-right text-[12px] text-soft">
          <span className="-translate-y-1/2">{show(top)}</span>
          <span>{show(top / 2)}</span>
          <span className="translate-y-1/2">{show(0)}</span>
        </div>
        <div ref={area} className="min-w-0">
          <Area bars={bars} at={at} onLook={setAt} top={top} search={{ ...where, ...searchOf(metric, looked, span, step) }} label={labelOf(looked)} />
        </div>
        <span />
        <div className="mt-1 flex justify-between text-[12px] text-soft">
          {[0, Math.floor(bars.length / 2), bars.length - 1].map((index) => (
            <span key={index}>{bars[index] === undefined ? "" : time(bars[index].start)}</span>
          ))}
        </div>
      </div>
    </figure>
  );

  function labelOf(bar: Bar | undefined): string {
    return bar === undefined ? t("chart") : `${time(bar.start)}: ${show(bar.total)}`;
  }
}

interface AreaProps {
  bars: readonly Bar[];
  at: number | undefined;
  onLook: (at: number | undefined) => void;
  top: number;
  search: TurnsSearch;
  label: string;
}

/** One link, to the turns of the bar that is looked at. */
function Area({ bars, at, onLook, top, search, label }: AreaProps) {
  const last = bars.length - 1;
  const point = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    onLook(Math.max(0, Math.min(last, Math.floor(((event.clientX - left) / width) * bars.length))));
  };
  const press = (event: KeyboardEvent<HTMLElement>) => {
    const to = { ArrowRight: (at ?? -1) + 1, ArrowLeft: (at ?? last + 1) - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    onLook(Math.max(0, Math.min(last, to)));
  };
  return (
    <div
      onPointerMove={point}
      onPointerDown={point}
      onPointerLeave={(event) => event.pointerType === "mouse" && onLook(undefined)}
      onKeyDown={press}
      onBlur={() => onLook(undefined)}
    >
      <TurnsLink search={search} className="relative flex h-48 items-stretch border-b border-line-strong chart-lines">
        <span className="sr-only">{label}</span>
        {bars.map((bar, index) => (
          <span
            key={bar.start}
            aria-hidden
            className={`flex min-w-0 flex-1 flex-col-reverse ${index === at ? "bg-accent-wash" : ""}`}
            data-bar
          >
            {bar.parts.map(
              (part, place) =>
                part.value > 0 && (
                  <span
                    key={part.name}
                    className={`${fillOf(place)} mx-[8%] block`}
                    style={{ height: `max(2px, ${(part.value / top) * 100}%)` }}
                  />
                ),
            )}
          </span>
        ))}
      </TurnsLink>
    </div>
  );
}

const iso = (time: number) => new Date(time).toISOString();

/** The turns of a bar, or of all of them. */
function searchOf(metric: Metric, bar: Bar | undefined, span: Span, step: number): TurnsSearch {
  const times = bar === undefined ? { since: span.since } : { since: iso(bar.start), until: iso(bar.start + step) };
  if (metric === "failures") return { ...times, failed: "1" };
  return metric === "continued" || metric === "bytesSaved" ? { ...times, continuity: "continued" } : times;
}

function useShown(metric: Metric): (value: number) => string {
  const format = useFormat();
  if (metric === "bytesSaved") return bytes;
  return metric === "costUsd" ? format.money : format.count;
}

/** The round figure at or above a value: 1, 2 or 5 times a power of ten; its half is whole, too. */
export function niceTop(value: number): number {
  if (value === 0 || value === 1) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= value) ?? value;
}
