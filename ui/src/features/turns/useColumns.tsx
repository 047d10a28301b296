import type { TFunction } from "i18next";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { API_FORMATS } from "@/api/words";
import { UNKNOWN, useFormat } from "@/shared/format";
import { wordOf } from "@/shared/marks";
import { Mark } from "@/shared/Strip";
import type { WideColumn } from "@/shared/VirtualTable";
import { COLUMNS, type Label, LISTED, type Place, type Row, textOf } from "./columns";

/** Of a line, at both ends, in rem. */
const PADDING = 1.5;
/** All columns at their least width. */
export const MIN_WIDTH = `${LISTED.reduce((sum, name) => sum + COLUMNS[name].list.rem, PADDING)}rem`;

/** The columns of the list. Where there are several nodes, that of a turn stands below its channel. */
export function useColumns(open: (row: Row) => void, hasFleet: boolean): readonly WideColumn<Row>[] {
  const { t } = useTranslation("turns");
  const format = useFormat();
  const cells = useCells(open, hasFleet);
  return useMemo(
    () =>
      LISTED.map((name) => {
        const { label, list }: { label: Label; list: Place } = COLUMNS[name];
        const cell = cells[name] ?? ((row: Row) => textOf(name, row, format));
        return { key: name, title: t(list.label ?? label), width: widthOf(list), align: list.align, cell };
      }),
    [t, format, cells],
  );
}

const widthOf = ({ rem, grow }: Place) => (grow === undefined ? `${rem}rem` : `minmax(${rem}rem, ${grow}fr)`);

/** Cells that are more than the text of their column. */
function useCells(open: (row: Row) => void, hasFleet: boolean): { [Name in keyof Row]?: (row: Row) => ReactNode } {
  const { t } = useTranslation(["turns", "app"]);
  const format = useFormat();
  const time = useTime();
  const ways = useMemo(() => new Ways(t), [t]);
  const apis = useMemo(() => apisOf(t), [t]);
  return useMemo(
    () => ({
      startedAt: (row) => (
        <button
          type="button"
          className="underline-offset-3 hover:underline"
          onClick={(event) => {
            event.stopPropagation();
            open(row);
          }}
        >
          {time(row.startedAt)}
        </button>
      ),
      modelAsked: (row) => twoLines(row.modelAsked || UNKNOWN, apis(row)),
      channelName: hasFleet ? (row) => twoLines(row.channelName || UNKNOWN, row.node) : undefined,
      reason: (row) => ways.of(wordOf(row), row.errorCode),
      inputTokens: (row) => `${format.count(row.inputTokens)} / ${format.count(row.cachedTokens)}`,
    }),
    [format, time, ways, apis, open, hasFleet],
  );
}

/** Not a component: a long list has many of them to draw. */
function twoLines(first: string, second: string): ReactNode {
  return (
    <>
      <span className="block truncate leading-tight">{first}</span>
      <span className="block truncate text-[11px] leading-tight tracking-tight text-soft" title={second}>
        {second}
      </span>
    </>
  );
}

/** What is passed through beside these has no other API upstream. */
const KNOWN: ReadonlySet<string> = new Set(API_FORMATS);

/** In which API a turn came and in which its upstream was asked: one word where that is the same. */
function apisOf(t: TFunction<["turns", "app"]>): (row: Row) => string {
  const name = (api: string) => t(`app:apisShort.${api}`, { defaultValue: api });
  return ({ apiFormat, upstreamAPI }) => {
    const [own = ""] = apiFormat.split("/");
    const isOther = upstreamAPI !== "" && own !== upstreamAPI && KNOWN.has(own);
    return isOther ? `${name(apiFormat)} → ${name(upstreamAPI)}` : name(apiFormat);
  };
}

/** How turns went, each drawn once: rows that went the same way share it, which spares most of a frame. */
class Ways {
  private readonly drawn = new Map<string, ReactNode>();

  constructor(private readonly t: TFunction<["turns", "app"]>) {}

  of(word: string, errorCode: string): ReactNode {
    const key = `${word} ${errorCode}`;
    const known = this.drawn.get(key);
    if (known !== undefined) return known;
    const way = (
      <span className="flex items-center gap-2">
        <svg width="12" height="24" aria-hidden className="shrink-0">
          <Mark turn={word} x={6} />
        </svg>
        <span className={`min-w-0 overflow-clip text-ellipsis ${errorCode === "" ? "" : "text-bad"}`}>
          {errorCode || this.t(`app:reasonShort.${word}`, { defaultValue: word })}
        </span>
      </span>
    );
    this.drawn.set(key, way);
    return way;
  }
}

/** Day and time of day: a log's years are the same. */
function useTime(): (iso: string) => string {
  const { i18n } = useTranslation();
  return useMemo(() => {
    const parts = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
    const format = new Intl.DateTimeFormat(i18n.language, parts);
    return (iso) => format.format(new Date(iso));
  }, [i18n.language]);
}
