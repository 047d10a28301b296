/** The audit log as the admin API has it. */
import { infiniteQueryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf } from "@/api/graphql";
import { FIRST_PAGE, pageAfter } from "@/api/paged";

const LIST = graphql(`
  query Audit($noun: String!, $after: String) {
    audit(first: 50, noun: $noun, after: $after) {
      nodes { id at actorID actorName address action noun nounID nounName changes }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
export type Entry = ResultOf<typeof LIST>["audit"]["nodes"][number];

export const auditQuery = (noun: string) =>
  infiniteQueryOptions({
    queryKey: ["audit", noun],
    queryFn: ({ signal, pageParam }) => ask(LIST, { noun, after: pageParam }, signal).then((told) => told.audit),
    initialPageParam: FIRST_PAGE,
    getNextPageParam: (page) => pageAfter(page),
  });
