import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ArrowUp } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSubscription } from "@/api/live";
import { Button } from "@/shared/Button";
import { Card, Page } from "@/shared/Page";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { VirtualTable } from "@/shared/VirtualTable";
import { ADDED, type Turn, turnsQuery } from "./api";
import { useColumns } from "./columns";
import { Export } from "./Export";
import { filterOf, isFiltered } from "./filter";
import { Filters } from "./Filters";
import { TurnDialog } from "./TurnDialog";

const route = getRouteApi("/shell/turns");
const ROW_HEIGHT = 44;

export function TurnsPage() {
  const { t } = useTranslation("turns");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { open: opened, ...filters } = search;
  const filter = filterOf(filters);
  const log = useInfiniteQuery(turnsQuery(filter));
  const rows = useMemo(() => log.data?.pages.flatMap((page) => page.nodes) ?? [], [log.data]);
  const open = useCallback(
    (turn: Turn) => void navigate({ search: (before) => ({ ...before, open: turn.id }) }),
    [navigate],
  );
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isError } = log;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isError, fetchNextPage]);
  const columns = useColumns(open);
  return (
    <Page title={t("title")} lead={t("lead")} actions={<Export filter={filter} />}>
      <Filters />
      {log.isError && <Failure error={log.error} onRetry={() => void (rows.length > 0 ? fetchNextPage() : log.refetch())} />}
      <Card>
        <Newer key={JSON.stringify(filter)} filter={filter} />
        {log.isPending ? (
          <SkeletonRows rows={10} />
        ) : rows.length === 0 ? (
          <Empty
            title={isFiltered(filters) ? t("noneMatch") : t("none")}
            action={isFiltered(filters) && <Button onClick={() => void navigate({ search: {} })}>{t("clear")}</Button>}
          >
            {isFiltered(filters) ? t("noneMatchText") : t("noneText")}
          </Empty>
        ) : (
          <div className="-mx-5 -my-4 overflow-hidden rounded-2xl">
            <VirtualTable
              label={t("title")}
              columns={columns}
              rows={rows}
              keyOf={(turn) => turn.id}
              rowHeight={ROW_HEIGHT}
              minWidth="66rem"
              onOpen={open}
              onEnd={onEnd}
              footer={isFetchingNextPage && <p className="px-6 py-2 text-soft">{t("more")}</p>}
            />
          </div>
        )}
      </Card>
      {opened !== undefined && (
        <TurnDialog
          id={opened}
          row={rows.find((each) => each.id === opened)}
          onClose={() => void navigate({ search: ({ open: _, ...rest }) => rest })}
        />
      )}
    </Page>
  );
}

/** Counts the turns that ended since the log was read; they come in when they are wanted. */
function Newer({ filter }: { filter: ReturnType<typeof filterOf> }) {
  const { t } = useTranslation("turns");
  const queries = useQueryClient();
  const [count, setCount] = useState(0);
  useSubscription(ADDED, { filter }, () => setCount((before) => before + 1));
  if (count === 0) return null;
  return (
    <div className="mb-6 flex justify-center">
      <Button
        isSmall
        icon={<ArrowUp size={14} aria-hidden />}
        onClick={() => {
          setCount(0);
          void queries.resetQueries({ queryKey: turnsQuery(filter).queryKey });
        }}
      >
        {t("newer", { count })}
      </Button>
    </div>
  );
}
