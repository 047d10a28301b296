/** The frame of a chart over time. It is one place for the keyboard: arrow keys go from span to span, Enter to its turns. */
import type { KeyboardEvent, PointerEvent, ReactNode, RefObject } from "react";
import { useTranslation } from "react-i18next";
import { TurnsLink, type TurnsSearch } from "@/shared/TurnsLink";
import { useSpanFormat } from "./Key";
import type { Span } from "./range";

interface Props {
  span: Span;
  /** When each part of what is drawn begins. */
  starts: readonly number[];
  /** The part that is looked at. */
  at: number | undefined;
  onLook: (at: number | undefined) => void;
  /** What the whole height stands for. */
  top: number;
  show: (value: number) => string;
  /** What is drawn, and how much of each where one looks. */
  keys: ReactNode;
  /** The turns of what is looked at, and what of it is read out. */
  search: TurnsSearch;
  label: string;
  height: "h-40" | "h-48";
  area?: RefObject<HTMLDivElement | null>;
  children: ReactNode;
}

export function ChartFrame(props: Props) {
  const { span, starts, at, onLook, top, show, keys, search, label, height, area, children } = props;
  const { t } = useTranslation("overview");
  const time = useSpanFormat(span);
  const last = starts.length - 1;
  const move = (to: number) => onLook(Math.max(0, Math.min(last, to)));
  const point = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    move(Math.floor(((event.clientX - left) / width) * starts.length));
  };
  const press = (event: KeyboardEvent<HTMLElement>) => {
    const to = { ArrowRight: (at ?? -1) + 1, ArrowLeft: (at ?? last + 1) - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };
  return (
    <figure>
      <figcaption className="mb-2 flex min-h-6 flex-wrap items-center gap-x-4 gap-y-1 text-[13px] text-soft" aria-live="polite">
        {keys}
        <span className="ml-auto">{t(span.span === "DAY" ? "daysAreUTC" : "hoursAreLocal")}</span>
      </figcaption>
      <div className="grid grid-cols-[auto_1fr] gap-x-2">
        <div className={`flex ${height} flex-col justify-between text-right text-[12px] text-soft`}>
          <span className="-translate-y-1/2">{show(top)}</span>
          <span>{show(top / 2)}</span>
          <span className="translate-y-1/2">{show(0)}</span>
        </div>
        <div
          ref={area}
          className="min-w-0"
          onPointerMove={point}
          onPointerDown={point}
          onPointerLeave={(event) => event.pointerType === "mouse" && onLook(undefined)}
          onKeyDown={press}
          onBlur={() => onLook(undefined)}
        >
          <TurnsLink search={search} className={`relative flex ${height} items-stretch border-b border-line-strong chart-lines`}>
            <span className="sr-only">{label}</span>
            {children}
          </TurnsLink>
        </div>
        <span />
        <div className="mt-1 flex justify-between text-[12px] text-soft">
          {[0, Math.floor(starts.length / 2), last].map((index) => (
            <span key={index}>{starts[index] === undefined ? "" : time(starts[index])}</span>
          ))}
        </div>
      </div>
    </figure>
  );
}

/** The round figure at or above a value: 1, 2 or 5 times a power of ten; its half is whole, too. */
export function niceTop(value: number): number {
  if (value === 0 || value === 1) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= value) ?? value;
}

const iso = (time: number) => new Date(time).toISOString();

/** The times of the part that is looked at, or of the whole, as the log's address has them. */
export function timesOf(span: Span, start: number | undefined, length: number): TurnsSearch {
  return start === undefined ? { since: span.since } : { since: iso(start), until: iso(start + length) };
}
