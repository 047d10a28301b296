import { getRouteApi } from "@tanstack/react-router";
import { ArrowUp } from "lucide-react";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNodeNames } from "@/api/nodes";
import { Button } from "@/shared/Button";
import { useMinute } from "@/shared/clock";
import { useFormat } from "@/shared/format";
import { Card, Page } from "@/shared/Page";
import { StripLegend } from "@/shared/Strip";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { type Rows, VirtualTable } from "@/shared/VirtualTable";
import { BodyResults } from "./BodyResults";
import type { Row } from "./columns";
import { Export } from "./Export";
import { filterOf, isFiltered } from "./filter";
import { Filters } from "./Filters";
import { TurnDialog } from "./TurnDialog";
import { MIN_WIDTH, useColumns } from "./useColumns";
import { useLog } from "./useLog";

const route = getRouteApi("/shell/turns");
const ROW_HEIGHT = 40;

export function TurnsPage() {
  const { t } = useTranslation("turns");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { open: opened, ...filters } = search;
  const text = filters["text"] ?? "";
  const key = JSON.stringify(filterOf(filters, useChosenAt(filters["since"])));
  const { filter, log, view } = useLog(key);
  const openID = useCallback((id: string) => void navigate({ search: (before) => ({ ...before, open: id }) }), [navigate]);
  const open = useCallback((row: Row) => openID(row.id), [openID]);
  const columns = useColumns(open, useNodeNames().length > 1);
  const clear = () => void navigate({ search: {} });
  return (
    <Page title={t("title")} lead={t("lead")} actions={<Export filter={filter} />}>
      <Filters />
      {view.failure !== undefined && <Failure error={view.failure} onRetry={log.retry} />}
      {text !== "" ? <BodyResults text={text} filter={filter} onOpen={openID} /> : <Card title={<Count rows={view.length} isWhole={view.isWhole} />} aside={<div className="hidden sm:block"><StripLegend /></div>}>
        <div className="relative -mx-5 -mb-4">
          {view.newer > 0 && (
            <div className="pointer-events-none absolute inset-x-0 top-11 z-20 flex justify-center" role="status">
              <Button look="main" isSmall className="pointer-events-auto shadow-card" icon={<ArrowUp size={14} aria-hidden />} onClick={log.showNewer}>
                {t("newer", { count: view.newer })}
              </Button>
            </div>
          )}
          {view.length > 0 ? (
            <VirtualTable
              key={`${key} ${view.beginning}`}
              label={t("title")}
              columns={columns}
              rows={view}
              rowHeight={ROW_HEIGHT}
              minWidth={MIN_WIDTH}
              height="max(22rem, calc(100dvh - 19rem))"
              onOpen={open}
              onSeen={log.see}
              footer={!view.isWhole && <p className="sticky left-0 w-fit px-6 py-2 text-soft">{t("more")}</p>}
            />
          ) : (
            <div className="px-5 pb-4">
              {view.isWhole ? (
                <Empty
                  title={isFiltered(filters) ? t("noneMatch") : t("none")}
                  action={isFiltered(filters) && <Button onClick={clear}>{t("clear")}</Button>}
                >
                  {isFiltered(filters) ? t("noneMatchText") : t("noneText")}
                </Empty>
              ) : (
                view.failure === undefined && <SkeletonRows rows={10} />
              )}
            </div>
          )}
        </div>
      </Card>}
      {opened !== undefined && (
        <TurnDialog id={opened} {...neighbours(view, opened)} onOpen={openID} onClose={() => void navigate({ search: ({ open: _, ...rest }) => rest })} />
      )}
    </Page>
  );
}

/** When a relative time was chosen, or the page was opened: rows do not move under the reader. */
function useChosenAt(since: string | undefined): number {
  const now = useMinute();
  const [chosen, setChosen] = useState({ since, now });
  if (chosen.since === since) return chosen.now;
  setChosen({ since, now });
  return now;
}

/** The ids of the rows beside one that is in memory. */
function neighbours(rows: Rows<Row>, id: string): { newer?: string | undefined; older?: string | undefined } {
  for (let index = 0; index < rows.length; index += 1) {
    if (rows.at(index)?.id === id) return { newer: rows.at(index - 1)?.id, older: rows.at(index + 1)?.id };
  }
  return {};
}

/** How many rows are read: the log has no end that would be known without reading it. */
function Count({ rows, isWhole }: { rows: number; isWhole: boolean }) {
  const { t } = useTranslation("turns");
  const format = useFormat();
  return <span data-testid="count">{t(isWhole ? "allRows" : "someRows", { count: rows, rows: format.whole(rows) })}</span>;
}
