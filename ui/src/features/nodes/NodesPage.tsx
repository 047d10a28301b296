import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { nodesQuery } from "@/api/nodes";
import { Figures } from "@/shared/Figures";
import { useNow } from "@/shared/clock";
import { useFormat } from "@/shared/format";
import { Card, Page } from "@/shared/Page";
import { Failure, SkeletonRows } from "@/shared/states";
import { Table } from "@/shared/Table";
import { Alone } from "./Alone";
import { useColumns } from "./columns";
import { Notices } from "./Notices";
import { type PresentRow, presenceOf, rowsOf, sumsOf } from "./presence";
import { WhatCounts } from "./WhatCounts";

const LOOKS_EVERY = 2_000;

export function NodesPage() {
  const { t } = useTranslation("nodes");
  const found = useQuery({ ...nodesQuery, staleTime: 0, refetchInterval: LOOKS_EVERY });
  const now = useNow();
  const columns = useColumns();
  const fleet = found.data;
  const rows =
    fleet === undefined
      ? []
      : rowsOf(fleet, found.dataUpdatedAt).map((row) => ({ ...row, presence: presenceOf(row, fleet.isCutOff, now) }));
  return (
    <Page title={t("title")} lead={t("lead")}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {fleet !== undefined && <Notices fleet={fleet} rows={rows} />}
      <Totals rows={rows} isKnown={fleet !== undefined} />
      <Card title={t("all")}>
        {fleet !== undefined ? (
          <Table label={t("title")} columns={columns} rows={rows} keyOf={(row) => `${row.name} ${row.node?.epoch ?? ""}`} />
        ) : (
          !found.isError && <SkeletonRows rows={3} />
        )}
      </Card>
      {fleet !== undefined && (
        <div className={`grid items-start gap-5 ${fleet.isShared ? "" : "lg:grid-cols-2"}`}>
          <WhatCounts fleet={fleet} />
          {!fleet.isShared && <Alone />}
        </div>
      )}
    </Page>
  );
}

function Totals({ rows, isKnown }: { rows: readonly PresentRow[]; isKnown: boolean }) {
  const { t } = useTranslation("nodes");
  const format = useFormat();
  const sums = sumsOf(rows);
  const figures: [string, string][] = [
    [t("there"), format.whole(sums.nodes)],
    [t("sessions"), format.whole(sums.sessions)],
    [t("turnsPerSecond"), format.rate(sums.turnsPerSecond)],
    [t("turnsUnderWay"), format.whole(sums.turnsUnderWay)],
  ];
  return <Figures figures={figures} isKnown={isKnown} columns="sm:grid-cols-4" />;
}
