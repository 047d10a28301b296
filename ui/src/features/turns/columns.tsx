import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { bytes, milliseconds, useFormat } from "@/shared/format";
import { wordOf } from "@/shared/marks";
import { Mark } from "@/shared/Strip";
import type { WideColumn } from "@/shared/VirtualTable";
import type { Turn } from "./api";

export function useColumns(open: (turn: Turn) => void): readonly WideColumn<Turn>[] {
  const { t } = useTranslation(["turns", "app"]);
  const format = useFormat();
  return useMemo<WideColumn<Turn>[]>(
    () => [
      {
        key: "time",
        title: t("time"),
        width: "9.5rem",
        cell: (row) => (
          <button
            type="button"
            className="underline-offset-3 hover:underline"
            onClick={(event) => {
              event.stopPropagation();
              open(row);
            }}
          >
            {format.moment(row.startedAt)}
          </button>
        ),
      },
      {
        key: "how",
        title: t("how"),
        width: "minmax(9rem, 1fr)",
        cell: (row) => (
          <span className="flex items-center gap-2">
            <svg width="12" height="24" aria-hidden className="shrink-0">
              <Mark turn={wordOf(row)} x={6} />
            </svg>
            <span className={`truncate ${row.errorCode === "" ? "" : "text-bad"}`}>
              {row.errorCode === "" ? t(`app:reasonShort.${wordOf(row)}`, { defaultValue: wordOf(row) }) : row.errorCode}
            </span>
          </span>
        ),
      },
      { key: "model", title: t("model"), width: "minmax(7rem, 1fr)", cell: (row) => row.modelAsked },
      { key: "channel", title: t("channel"), width: "minmax(6rem, 0.8fr)", cell: (row) => row.channelName || "–" },
      { key: "keyName", title: t("key"), width: "minmax(5rem, 0.7fr)", cell: (row) => row.keyName || "–" },
      { key: "received", title: t("received"), width: "5.5rem", align: "right", cell: (row) => bytes(row.bytesReceived) },
      { key: "sent", title: t("sent"), width: "5.5rem", align: "right", cell: (row) => bytes(row.bytesSent) },
      {
        key: "cached",
        title: t("tokens"),
        width: "8.5rem",
        align: "right",
        cell: (row) => `${format.count(row.inputTokens)} / ${format.count(row.cachedTokens)}`,
      },
      { key: "first", title: t("first"), width: "6.5rem", align: "right", cell: (row) => milliseconds(row.firstEventMs) },
      { key: "total", title: t("total"), width: "5.5rem", align: "right", cell: (row) => milliseconds(row.totalMs) },
      { key: "cost", title: t("cost"), width: "6rem", align: "right", cell: (row) => format.money(row.costUsd) },
    ],
    [t, format, open],
  );
}
