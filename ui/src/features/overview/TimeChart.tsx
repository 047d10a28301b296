/** Bars over time; each leads to its turns. Arrow keys move between them. */
import { type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { bytes, useFormat } from "@/shared/format";
import { TurnsLink, type TurnsSearch } from "@/shared/TurnsLink";
import { fillOf, Key } from "./Key";
import { type Span, starts } from "./range";
import { type Bar, barsOf, type By, type Metric, OTHERS, type Point } from "./usage";

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
  const { t, i18n } = useTranslation("overview");
  const show = useShown(metric);
  const [at, setAt] = useState<number>();
  const { bars, names } = barsOf(points, metric, starts(span));
  const top = niceTop(Math.max(...bars.map((bar) => bar.total), 0));
  const label = (name: string) => (name === OTHERS ? t("others") : nameOf(name));
  const format = new Intl.DateTimeFormat(
    i18n.language,
    span.span === "HOUR" ? { weekday: "short", hour: "2-digit", minute: "2-digit", hour12: false } : { month: "short", day: "numeric" },
  );
  const looked = at === undefined ? undefined : bars[at];
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const links = [...event.currentTarget.querySelectorAll("a")];
    links[links.indexOf(document.activeElement as HTMLAnchorElement) + step]?.focus();
  };
  return (
    <figure>
      <figcaption className="mb-2 flex min-h-6 flex-wrap items-center gap-x-4 gap-y-1 text-[13px] text-soft">
        {looked === undefined ? (
          names.map((name, index) => <Key key={name} index={index} text={label(name)} />)
        ) : (
          <>
            <strong className="text-ink">{format.format(looked.start)}</strong>
            {looked.parts
              .filter((part) => part.value > 0)
              .map((part) => (
                <Key key={part.name} index={names.indexOf(part.name)} text={`${label(part.name)}: ${show(part.value)}`} />
              ))}
            {looked.total === 0 && <span>{show(0)}</span>}
          </>
        )}
      </figcaption>
      <div className="grid grid-cols-[auto_1fr] gap-x-2">
        <div className="flex h-48 flex-col justify-between text-right text-[12px] text-soft">
          <span className="-translate-y-1/2">{show(top)}</span>
          <span>{show(top / 2)}</span>
          <span className="translate-y-1/2">{show(0)}</span>
        </div>
        <div
          className="relative flex h-48 items-stretch border-b border-line-strong"
          style={{ backgroundImage: "linear-gradient(var(--line) 1px, transparent 1px)", backgroundSize: "100% 50%" }}
          onKeyDown={onKeyDown}
          onMouseLeave={() => setAt(undefined)}
        >
          {bars.map((bar, index) => (
            <Column
              key={bar.start}
              bar={bar}
              top={top}
              isFirst={index === 0}
              label={`${format.format(bar.start)}: ${show(bar.total)}`}
              search={{ ...where, since: iso(bar.start), until: iso(bar.start + span.step), ...searchOf(metric) }}
              onLook={() => setAt(index)}
            />
          ))}
        </div>
        <span />
        <div className="mt-1 flex justify-between text-[12px] text-soft">
          {[0, Math.floor(bars.length / 2), bars.length - 1].map((index) => (
            <span key={index}>{bars[index] === undefined ? "" : format.format(bars[index].start)}</span>
          ))}
        </div>
      </div>
    </figure>
  );
}

const iso = (time: number) => new Date(time).toISOString();

function searchOf(metric: Metric): TurnsSearch {
  if (metric === "failures") return { failed: "1" };
  return metric === "continued" || metric === "bytesSaved" ? { continuity: "continued" } : {};
}

function Column(props: {
  bar: Bar;
  top: number;
  isFirst: boolean;
  label: string;
  search: TurnsSearch;
  onLook: () => void;
}) {
  const { bar, top } = props;
  return (
    <div className="group flex min-w-0 flex-1" onMouseEnter={props.onLook} onFocus={props.onLook}>
      <TurnsLink
        search={props.search}
        className="flex w-full flex-col-reverse px-[8%] hover:bg-accent-wash focus-visible:bg-accent-wash"
      >
        <span className="sr-only">{props.label}</span>
        {bar.parts.map(
          (part, index) =>
            part.value > 0 && (
              <span
                key={part.name}
                className={`${fillOf(index)} block w-full first-of-type:rounded-none`}
                style={{ height: `max(2px, ${(part.value / top) * 100}%)` }}
              />
            ),
        )}
      </TurnsLink>
    </div>
  );
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
