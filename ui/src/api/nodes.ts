/** The processes of this gateway: a page of their own shows them, others name them. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { ask } from "./client";
import { graphql, type ResultOf } from "./graphql";

const NODES = graphql(`
  query Nodes {
    nodes {
      isShared isCutOff
      missing { name silentFor }
      nodes {
        name epoch host pid version stage since heartbeatAge sessions turnsPerSecond turnsUnderWay isSelf isDuplicate
        counts { what where }
      }
    }
  }
`);
export type Nodes = ResultOf<typeof NODES>["nodes"];
export type Node = Nodes["nodes"][number];

export const nodesQuery = queryOptions({
  queryKey: ["nodes"],
  queryFn: ({ signal }) => ask(NODES, {}, signal).then((answer) => answer.nodes),
  staleTime: 30_000,
});

const NOBODY: readonly string[] = [];

/** The names of all nodes, those that went silent lately among them; in their order. */
export function namesOf({ nodes, missing }: Pick<Nodes, "nodes" | "missing">): string[] {
  const names = new Set([...nodes, ...missing].map((each) => each.name));
  return [...names].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
}

/** Pages tell nodes apart where there are several names. */
export function useNodeNames(): readonly string[] {
  return useQuery({ ...nodesQuery, select: namesOf }).data ?? NOBODY;
}
