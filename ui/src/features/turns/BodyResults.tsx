/** Turns whose kept bodies have a text, with the words around it. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/client";
import { graphql } from "@/api/graphql";
import { FIRST_PAGE, pageAfter } from "@/api/paged";
import { useFormat } from "@/shared/format";
import { More } from "@/shared/Listing";
import { Card } from "@/shared/Page";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import type { TurnFilter } from "./api";

const SEARCH = graphql(`
  query SearchBodies($text: String!, $filter: TurnFilter, $after: String) {
    searchBodies(text: $text, filter: $filter, first: 50, after: $after) {
      nodes { turn { id startedAt modelAsked keyName session } snippet { text isMatch } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export function BodyResults({ text, filter, onOpen }: { text: string; filter: TurnFilter; onOpen: (id: string) => void }) {
  const { t } = useTranslation("turns");
  const format = useFormat();
  const found = useInfiniteQuery({
    queryKey: ["turns", "search", text, filter],
    queryFn: ({ pageParam, signal }) => ask(SEARCH, { text, filter, after: pageParam }, signal).then((page) => page.searchBodies),
    initialPageParam: FIRST_PAGE,
    getNextPageParam: (page) => pageAfter(page),
    gcTime: 0,
  });
  const nodes = found.data?.pages.flatMap((page) => page.nodes) ?? [];
  return (
    <Card title={t("foundInBodies")}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <SkeletonRows rows={5} />}
      {found.isSuccess && nodes.length === 0 && <Empty title={t("noneMatch")}>{t("noneInBodies")}</Empty>}
      <ol aria-label={t("foundInBodies")} className="divide-y divide-line">
        {nodes.map(({ turn, snippet }) => (
          <li key={turn.id} className="py-2">
            <button type="button" className="w-full rounded-lg px-2 py-1 text-left hover:bg-sunken" onClick={() => onOpen(turn.id)}>
              <span className="block text-[13px] break-words text-soft">
                {[format.dateTime(turn.startedAt), turn.modelAsked, turn.keyName, turn.session].filter((each) => each !== "").join(" \u00b7 ")}
              </span>
              <span className="block [overflow-wrap:anywhere]">
                {snippet.map((piece, at) =>
                  piece.isMatch ? (
                    <mark key={at} className="rounded bg-warn-wash font-semibold text-ink">
                      {piece.text}
                    </mark>
                  ) : (
                    <span key={at}>{piece.text}</span>
                  ),
                )}
              </span>
            </button>
          </li>
        ))}
      </ol>
      <More found={found} label={t("older")} />
    </Card>
  );
}
