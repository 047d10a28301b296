/** Figures as people read them, in the page's language. Unknown is a dash, never 0. */
import { useTranslation } from "react-i18next";
import { useMemo } from "react";

export const UNKNOWN = "–";
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1_000 && unit < BYTE_UNITS.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  if (value < 1_000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)} s`;
  return duration(value / 1_000);
}

/** Seconds as the two greatest units. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min ${pad(whole % MINUTE)} s`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)} h ${pad(Math.floor((whole % HOUR) / MINUTE))} min`;
  return `${Math.floor(whole / DAY)} d ${Math.floor((whole % DAY) / HOUR)} h`;
}

const pad = (number: number) => String(number).padStart(2, "0");

export function share(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

export function createFormat(language: string) {
  const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const rate = new Intl.NumberFormat(language, { maximumSignificantDigits: 2 });
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const dateTime = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const money = { 2: dollars(language, 2), 3: dollars(language, 3), 5: dollars(language, 5) };
  const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const known = <T>(value: T | null | undefined, show: (value: T) => string) =>
    value === null || value === undefined ? UNKNOWN : show(value);
  return {
    count: (value: number | null | undefined) => known(value, (n) => (Math.abs(n) < 10_000 ? whole : compact).format(n)),
    whole: (value: number | null | undefined) => known(value, (n) => whole.format(n)),
    /** Of events a second: two digits tell enough, but a whole number stays whole. */
    rate: (value: number | null | undefined) => known(value, (n) => (Math.abs(n) < 10 ? rate : whole).format(n)),
    percent: (value: number | null | undefined) => known(value, (n) => percent.format(n)),
    money: (value: number | null | undefined) => known(value, (n) => money[digitsOf(n)].format(n)),
    dateTime: (value: string | null | undefined) => known(value, (at) => dateTime.format(new Date(at))),
    date: (value: string | null | undefined) => known(value, (at) => date.format(new Date(at))),
    time: (value: string | null | undefined) => known(value, (at) => time.format(new Date(at))),
    ago: (value: string | null | undefined, now = Date.now()) => known(value, (at) => since(ago, new Date(at).getTime() - now)),
  };
}

export type Format = ReturnType<typeof createFormat>;

/** Small sums have more digits. */
function digitsOf(dollars: number): 2 | 3 | 5 {
  const size = Math.abs(dollars);
  return size === 0 || size >= 1 ? 2 : size >= 0.01 ? 3 : 5;
}

/** Made once: a format costs more to make than a thousand uses of it. */
function dollars(language: string, digits: number): Intl.NumberFormat {
  return new Intl.NumberFormat(language, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function since(format: Intl.RelativeTimeFormat, span: number): string {
  const seconds = Math.round(span / 1_000);
  const size = Math.abs(seconds);
  if (size < MINUTE) return format.format(seconds, "second");
  if (size < HOUR) return format.format(Math.round(seconds / MINUTE), "minute");
  if (size < DAY) return format.format(Math.round(seconds / HOUR), "hour");
  return format.format(Math.round(seconds / DAY), "day");
}

export function useFormat() {
  const { i18n } = useTranslation();
  return useMemo(() => createFormat(i18n.language), [i18n.language]);
}
