/** How long served turns took, as the admin API has it. */
import { type EnumOf, graphql, type ResultOf } from "@/api/graphql";

export const LATENCY = graphql(`
  query Latency(
    $since: DateTime!, $until: DateTime!, $span: UsageSpan!, $by: LatencyBy!, $figure: LatencyFigure!, $filter: LatencyFilter
  ) {
    latency(since: $since, until: $until, span: $span, by: $by, filter: $filter) {
      lines { name figures { ...Figures } before { ...Figures } }
      series(figure: $figure) { start name distribution { turns p50 p95 p99 } }
    }
  }
  fragment Figures on LatencyFigures {
    firstEvent { ...Distribution } total { ...Distribution } tokensPerSecond { ...Distribution }
  }
  fragment Distribution on Distribution { turns p50 p95 p99 mean }
`);

export type Latency = ResultOf<typeof LATENCY>["latency"];
export type Line = Latency["lines"][number];
export type Point = Latency["series"][number];
export type By = EnumOf<"LatencyBy">;
export type Figure = EnumOf<"LatencyFigure">;

export const FIGURES = ["FIRST_EVENT", "TOTAL", "TOKENS_PER_SECOND"] as const satisfies readonly Figure[];
/** Where a line has the figure. */
export const PLACES = { FIRST_EVENT: "firstEvent", TOTAL: "total", TOKENS_PER_SECOND: "tokensPerSecond" } as const;
