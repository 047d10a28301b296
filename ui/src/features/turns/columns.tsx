import type { TFunction } from "i18next";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { bytes, milliseconds, useFormat } from "@/shared/format";
import { wordOf } from "@/shared/marks";
import { Mark } from "@/shared/Strip";
import type { WideColumn } from "@/shared/VirtualTable";
import type { Row } from "./api";

export function useColumns(open: (row: Row) => void): readonly WideColumn<Row>[] {
  const { t } = useTranslation(["turns", "app"]);
  const format = useFormat();
  const time = useTime();
  const ways = useMemo(() => new Ways(t), [t]);
  return useMemo<WideColumn<Row>[]>(
    () => [
      {
        key: "time",
        title: t("time"),
        width: "9.6rem",
        cell: (row) => (
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
      },
      {
        key: "how",
        title: t("how"),
        width: "minmax(10.75rem, 1.2fr)",
        cell: (row) => ways.of(wordOf(row), row.errorCode),
      },
      { key: "model", title: t("model"), width: "minmax(6rem, 1fr)", cell: (row) => row.modelAsked },
      { key: "channel", title: t("channel"), width: "minmax(5.75rem, 0.8fr)", cell: (row) => row.channelName || "–" },
      { key: "keyName", title: t("key"), width: "minmax(4.3rem, 0.7fr)", cell: (row) => row.keyName || "–" },
      { key: "received", title: t("received"), width: "5rem", align: "right", cell: (row) => bytes(row.bytesReceived) },
      { key: "sent", title: t("sent"), width: "4.75rem", align: "right", cell: (row) => bytes(row.bytesSent) },
      {
        key: "cached",
        title: t("tokens"),
        width: "8.4rem",
        align: "right",
        cell: (row) => `${format.count(row.inputTokens)} / ${format.count(row.cachedTokens)}`,
      },
      { key: "first", title: t("first"), width: "6rem", align: "right", cell: (row) => milliseconds(row.firstEventMs) },
      { key: "total", title: t("total"), width: "4.75rem", align: "right", cell: (row) => milliseconds(row.totalMs) },
      { key: "cost", title: t("cost"), width: "5.75rem", align: "right", cell: (row) => format.money(row.costUsd) },
    ],
    [t, format, time, ways, open],
  );
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
