import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "@/shared/Badge";
import { duration, useFormat } from "@/shared/format";
import { ListCard, More } from "@/shared/Listing";
import { Empty } from "@/shared/states";
import type { Column } from "@/shared/Table";
import { type Alert, alertsQuery } from "./api";
import { Deliveries } from "./Deliveries";
import { ruleName } from "./draft";
import { labelOf, noteOf, type T } from "./said";

const LOOKS_EVERY = 10_000;

/** What lasts stands first, then what was. */
export function History() {
  const { t } = useTranslation(["alerts", "app"]);
  const found = useInfiniteQuery({ ...alertsQuery, refetchInterval: LOOKS_EVERY });
  const rows = useMemo(() => inOrder(found.data?.pages.flatMap((page) => page.nodes)), [found.data]);
  const columns = useColumns();
  return (
    <ListCard
      label={t("history")}
      found={found}
      rows={rows}
      columns={columns}
      skeletons={3}
      empty={<Empty title={t("none")}>{t("noneText")}</Empty>}
    >
      <More found={found} label={t("older")} />
    </ListCard>
  );
}

function inOrder(alerts: Alert[] | undefined): Alert[] | undefined {
  if (alerts === undefined) return undefined;
  return [...alerts.filter((each) => each.until === null), ...alerts.filter((each) => each.until !== null)];
}

function useColumns(): Column<Alert>[] {
  const { t } = useTranslation(["alerts", "budgets", "turns"]);
  const format = useFormat();
  const lasted = ({ since, until }: Alert) => (Date.parse(until ?? new Date().toISOString()) - Date.parse(since)) / 1_000;
  return [
    {
      key: "state",
      title: t("state"),
      cell: (row) => <Badge tone={row.until === null ? "bad" : "good"}>{t(row.until === null ? "lasts" : "over")}</Badge>,
    },
    {
      key: "what",
      title: t("what"),
      cell: (row) => (
        <div className="min-w-48">
          <p className="font-medium">{t(`says.${row.watched}`, valuesOf(row, format, t))}</p>
          {row.note !== "" && <p className="max-w-xl text-[13px] break-words text-soft">{noteOf(row, format, t)}</p>}
          <div className="space-y-1 md:hidden">
            <p className="text-[12.5px] text-soft">{format.dateTime(row.since)}</p>
            <Deliveries deliveries={row.deliveries} />
          </div>
        </div>
      ),
    },
    { key: "since", title: t("since"), isExtra: true, cell: (row) => <span className="whitespace-nowrap">{format.dateTime(row.since)}</span> },
    { key: "for", title: t("for"), isExtra: true, cell: (row) => <span className="whitespace-nowrap">{duration(lasted(row))}</span> },
    { key: "rule", title: t("rule"), isExtra: true, cell: (row) => ruleName(row.ruleName, t) },
    { key: "deliveries", title: t("deliveries"), isExtra: true, cell: (row) => <Deliveries deliveries={row.deliveries} /> },
  ];
}

function valuesOf(alert: Alert, format: ReturnType<typeof useFormat>, t: T) {
  return { label: labelOf(alert, t), share: format.percent(alert.value), number: format.whole(alert.value) };
}
