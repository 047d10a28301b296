/** Whether kept bodies can be searched: by who may read them, where the configuration file lets them be indexed. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { ask } from "./client";
import { graphql } from "./graphql";
import { useMay } from "./me";

const INDEXES = graphql(`query IndexesBodies { settings { indexesBodies } }`);
const indexesQuery = queryOptions({
  queryKey: ["indexesBodies"],
  queryFn: ({ signal }) => ask(INDEXES, {}, signal).then(({ settings }) => settings.indexesBodies),
  // It changes with a restart of the gateway alone.
  staleTime: 300_000,
});

export function useCanSearchBodies(): boolean {
  const may = [useMay("bodies:read"), useMay("settings:read")].every(Boolean);
  return useQuery({ ...indexesQuery, enabled: may }).data === true;
}
