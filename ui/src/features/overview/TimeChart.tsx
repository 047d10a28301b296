/** Bars over time. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { bytes, useFormat } from "@/shared/format";
import type { TurnsSearch } from "@/shared/TurnsLink";
import { ChartFrame, niceTop, timesOf } from "./ChartFrame";
import { fillOf, Key, useSpanFormat } from "./Key";
import { type Span, starts } from "./range";
import { type Bar, barsOf, joined, type Metric, OTHERS, type Point } from "./usage";
import { useWidth } from "./useWidth";

/** Narrower bars than this, in px, are joined. */
const LEAST = 6;

export interface ChartProps {
  points: readonly Point[];
  metric: Metric;
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
  const top = niceTop(Math.max(...bars.map((bar) => bar.total), 0));
  const label = (name: string) => (name === OTHERS ? t("others") : nameOf(name));
  // What is looked at may be gone where the page has become narrower.
  const looked = at === undefined ? undefined : bars[Math.min(at, bars.length - 1)];
  const keys =
    looked === undefined ? (
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
    );
  return (
    <ChartFrame
      span={span}
      starts={bars.map((bar) => bar.start)}
      at={at}
      onLook={setAt}
      top={top}
      show={show}
      keys={keys}
      search={{ ...where, ...timesOf(span, looked?.start, size * span.step), ...counted(metric) }}
      label={looked === undefined ? t("chart") : `${time(looked.start)}: ${show(looked.total)}`}
      height="h-48"
      area={area}
    >
      {bars.map((bar, index) => (
        <Stack key={bar.start} bar={bar} top={top} isLooked={index === at} />
      ))}
    </ChartFrame>
  );
}

function Stack({ bar, top, isLooked }: { bar: Bar; top: number; isLooked: boolean }) {
  return (
    <span aria-hidden className={`flex min-w-0 flex-1 flex-col-reverse ${isLooked ? "bg-accent-wash" : ""}`} data-bar>
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
  );
}

/** The turns that a metric counts, as the log's address has them. */
function counted(metric: Metric): TurnsSearch {
  if (metric === "failures") return { failed: "1" };
  return metric === "continued" || metric === "bytesSaved" ? { continuity: "continued" } : {};
}

function useShown(metric: Metric): (value: number) => string {
  const format = useFormat();
  if (metric === "bytesSaved") return bytes;
  return metric === "costUsd" ? format.money : format.count;
}
