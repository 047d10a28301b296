/** Sessions or traces, live and ended, the latest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { Badge } from "@/shared/Badge";
import { useNow } from "@/shared/clock";
import { bytes, duration, useFormat } from "@/shared/format";
import { Card } from "@/shared/Page";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { VirtualTable, type WideColumn } from "@/shared/VirtualTable";
import { RunFilters } from "./RunFilters";
import { RunLink } from "./RunLink";
import { shortened } from "./timeline";
import { filterOf, type Kind, type Run, runsQuery } from "./runs";

const route = getRouteApi("/shell/sessions");

export function RunsTable({ kind }: { kind: Kind }) {
  const { t } = useTranslation("sessions");
  const search = route.useSearch();
  const [opened] = useState(() => Date.now());
  const runs = useInfiniteQuery({ ...runsQuery(kind, filterOf(search, opened)), refetchInterval: 10_000 });
  const rows = useMemo(() => runs.data?.pages.flatMap((page) => page.nodes) ?? [], [runs.data]);
  const columns = useRunColumns(kind);
  const more = runs.hasNextPage && !runs.isFetching;
  const { fetchNextPage } = runs;
  const onEnd = useCallback(() => {
    if (more) void fetchNextPage();
  }, [more, fetchNextPage]);
  return (
    <Card title={t(kind === "session" ? "allSessions" : "traces")} aside={<RunFilters />}>
      {runs.isError && <Failure error={runs.error} onRetry={() => void runs.refetch()} />}
      {runs.isPending ? (
        <SkeletonRows />
      ) : rows.length === 0 ? (
        <Empty title={t("noRuns")}>{t("noRunsText")}</Empty>
      ) : (
        <div className="-mx-5 -mb-4">
          <VirtualTable
            label={t(kind === "session" ? "allSessions" : "traces")}
            columns={columns}
            rows={rows}
            rowHeight={58}
            minWidth="64rem"
            height="calc(100dvh - 18rem)"
            onEnd={onEnd}
          />
        </div>
      )}
    </Card>
  );
}

function useRunColumns(kind: Kind): readonly WideColumn<Run>[] {
  const { t } = useTranslation("sessions");
  const format = useFormat();
  const { channel } = useNames();
  return useMemo(
    () => [
      {
        key: "name",
        title: t(kind === "session" ? "session" : "trace"),
        width: "minmax(14rem, 1.6fr)",
        cell: (run) => (
          <RunLink kind={kind} id={run.id} className="block truncate py-1.5 font-mono text-[13px] underline">
            <span title={run.name}>{shortened(run.name)}</span>
          </RunLink>
        ),
      },
      { key: "key", title: t("key"), width: "minmax(6rem, 0.7fr)", cell: (run) => <Cut text={run.keyName} /> },
      {
        key: "served",
        title: t("served"),
        width: "minmax(11rem, 1.3fr)",
        cell: (run) => (
          <>
            <Cut text={run.models.join(", ")} />
            <Cut text={run.channelIDs.map(channel).join(", ")} isSoft />
          </>
        ),
      },
      { key: "last", title: t("lastAt"), width: "10rem", cell: (run) => <When run={run} /> },
      { key: "continued", title: t("continued"), width: "6.5rem", align: "right", cell: (run) => `${run.continued} / ${run.turns}` },
      { key: "saved", title: t("saved"), width: "6.5rem", align: "right", cell: (run) => bytes(run.bytesSaved) },
      { key: "cost", title: t("cost"), width: "6.5rem", align: "right", cell: (run) => format.money(run.costUsd) },
      {
        key: "state",
        title: t("state"),
        width: "9rem",
        cell: (run) => (
          <span className="flex items-center gap-1.5">
            {run.connections.length > 0 ? <Badge tone="good">{t("isLive")}</Badge> : <Badge>{t("isEnded")}</Badge>}
            {run.failures > 0 && <Badge tone="bad">{run.failures}</Badge>}
          </span>
        ),
      },
    ],
    [t, format, channel, kind],
  );
}

function Cut({ text, isSoft = false }: { text: string; isSoft?: boolean }) {
  return (
    <span className={`block truncate ${isSoft ? "text-[12px] text-soft" : ""}`} title={text}>
      {text === "" ? "–" : text}
    </span>
  );
}

function When({ run }: { run: Run }) {
  const format = useFormat();
  return (
    <>
      <span className="block" title={format.dateTime(run.lastAt)}>
        {format.ago(run.lastAt, useNow())}
      </span>
      <span className="block text-[12px] text-soft">{duration((Date.parse(run.lastAt) - Date.parse(run.firstAt)) / 1_000)}</span>
    </>
  );
}

