/** What charts over time share: the key of a colour, and how a bar is dated. */
import { useTranslation } from "react-i18next";
import type { Span } from "./range";

/** Patterns beside colours, so that lines differ without them. */
export const fillOf = (index: number): string => `chart-c${Math.min(index, 5)}`;

export function Key({ index, text }: { index: number; text: string }) {
  return (
    <span className="flex min-w-0 items-center gap-1.5">
      <span aria-hidden className={`${fillOf(index)} size-3 shrink-0 rounded-[3px]`} />
      <span className="truncate">{text}</span>
    </span>
  );
}

/** Hours by the clock of who looks; days are those of UTC. */
export function useSpanFormat(span: Span): (start: number) => string {
  const { i18n } = useTranslation();
  const format = new Intl.DateTimeFormat(
    i18n.language,
    span.span === "HOUR"
      ? { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
      : { month: "short", day: "numeric", timeZone: "UTC" },
  );
  return (start) => format.format(start);
}
