/** How many alerts last: the badge beside their place, which is looked at now and then. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "./client";
import { graphql } from "./graphql";

const OPEN = graphql(`query OpenAlerts { openAlerts }`);
const LOOKS_EVERY = 30_000;

export const openAlertsQuery = queryOptions({
  queryKey: ["alerts", "open"],
  queryFn: ({ signal }) => ask(OPEN, {}, signal).then(({ openAlerts }) => openAlerts),
  refetchInterval: LOOKS_EVERY,
  meta: { isTold: true },
});
