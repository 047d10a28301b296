import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/client";
import { graphql, type ResultOf } from "@/api/graphql";
import { Mono } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { useFormat } from "@/shared/format";
import { Card, Page } from "@/shared/Page";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { changesOf } from "./changes";

const route = getRouteApi("/shell/audit");
const NOUNS = ["channel", "api-key", "project", "user", "invitation", "settings"];

const AUDIT = graphql(`
  query Audit($noun: String!, $after: String) {
    audit(first: 50, after: $after, noun: $noun) {
      nodes { id at actorName address action noun nounID nounName changes }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
type Entry = ResultOf<typeof AUDIT>["audit"]["nodes"][number];

const auditQuery = (noun: string) =>
  infiniteQueryOptions({
    queryKey: ["audit", noun],
    queryFn: ({ pageParam, signal }) => ask(AUDIT, { noun, after: pageParam }, signal).then((told) => told.audit),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => (last.pageInfo.hasNextPage ? last.pageInfo.endCursor : null),
  });

export function AuditPage() {
  const { t } = useTranslation("audit");
  const noun = route.useSearch()["noun"] ?? "";
  const navigate = route.useNavigate();
  const found = useInfiniteQuery(auditQuery(noun));
  const entries = found.data?.pages.flatMap((page) => page.nodes);
  return (
    <Page
      title={t("title")}
      lead={t("lead")}
      actions={
        <select
          aria-label={t("noun")}
          className="field !w-auto"
          value={noun}
          onChange={(event) => void navigate({ search: event.target.value === "" ? {} : { noun: event.target.value } })}
        >
          <option value="">{t("all")}</option>
          {NOUNS.map((each) => (
            <option key={each} value={each}>
              {t(`nouns.${each}`)}
            </option>
          ))}
        </select>
      }
    >
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      <Card>
        {entries === undefined ? (
          <SkeletonRows />
        ) : entries.length === 0 ? (
          <Empty title={t("none")} />
        ) : (
          <ol className="divide-y divide-line">
            {entries.map((entry) => (
              <Line key={entry.id} entry={entry} />
            ))}
          </ol>
        )}
        {found.hasNextPage && (
          <Button className="mt-4" isBusy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            {t("more")}
          </Button>
        )}
      </Card>
    </Page>
  );
}

function Line({ entry }: { entry: Entry }) {
  const { t } = useTranslation("audit");
  const format = useFormat();
  const changes = changesOf(entry.changes);
  return (
    <li className="py-3">
      <p className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-medium">{entry.actorName}</span>
        <span>{t(`actions.${entry.action}`, { defaultValue: entry.action })}</span>
        <span className="text-soft">{t(`nouns.${entry.noun}`, { defaultValue: entry.noun })}</span>
        <Mono>{entry.nounName || entry.nounID}</Mono>
        <time dateTime={entry.at} className="ml-auto text-[13px] text-soft">
          {format.dateTime(entry.at)}
          {entry.address !== "" && ` · ${entry.address}`}
        </time>
      </p>
      {changes.length > 0 && (
        <ul className="mt-1 space-y-0.5 text-[13px]">
          {changes.map((change) => (
            <li key={change.field} className="min-w-0 break-words">
              <span className="text-soft">{change.field}: </span>
              {change.before !== "–" && (
                <>
                  <del className="text-soft">{change.before}</del>
                  <span aria-hidden> → </span>
                </>
              )}
              <ins className="no-underline">{change.after}</ins>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
