/** Alerts, their rules and where they are sent, as the admin API has them. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";
import { FIRST_PAGE, pageAfter } from "@/api/paged";

const DELIVERY = graphql(`
  fragment DeliveryFields on AlertDelivery {
    id destinationName event status attempts createdAt nextAt endedAt answer
  }
`);
export type Delivery = ResultOf<typeof DELIVERY>;

const ALERT = graphql(
  `
  fragment AlertFields on Alert {
    id ruleName watched subject label since firedAt until value note
    deliveries { ...DeliveryFields }
  }
`,
  [DELIVERY],
);
export type Alert = ResultOf<typeof ALERT>;

const RULE = graphql(`
  fragment RuleFields on AlertRule {
    id name watched threshold window lasts leastTurns repeatAfter destinations enabled managedBy revision
  }
`);
export type Rule = ResultOf<typeof RULE>;
export type Watched = Rule["watched"];

const DESTINATION = graphql(`
  fragment DestinationFields on AlertDestination {
    id name kind address isSigned format host port security user hasPassword sender recipients enabled managedBy revision
  }
`);
export type Destination = ResultOf<typeof DESTINATION>;

const HISTORY = graphql(
  `
  query Alerts($after: String) {
    alerts(first: 50, after: $after) { nodes { ...AlertFields } pageInfo { hasNextPage endCursor } }
  }
`,
  [ALERT],
);
export const alertsQuery = infiniteQueryOptions({
  queryKey: ["alerts", "history"],
  queryFn: ({ pageParam, signal }) => ask(HISTORY, { after: pageParam }, signal).then(({ alerts }) => alerts),
  initialPageParam: FIRST_PAGE,
  getNextPageParam: (page) => pageAfter(page),
});

const RULES = graphql(
  `query AlertRules { alertRules { ...RuleFields } alertKinds { watched unit threshold falls hasWindow countsTurns } }`,
  [RULE],
);
export type Kind = ResultOf<typeof RULES>["alertKinds"][number];
export const rulesQuery = queryOptions({
  queryKey: ["alerts", "rules"],
  queryFn: ({ signal }) => ask(RULES, {}, signal),
});
export const fetchRule = (id: string) => ask(RULES, {}).then(({ alertRules }) => found(alertRules, id));

const DESTINATIONS = graphql(`query AlertDestinations { alertDestinations { ...DestinationFields } }`, [DESTINATION]);
export const destinationsQuery = queryOptions({
  queryKey: ["alerts", "destinations"],
  queryFn: ({ signal }) => ask(DESTINATIONS, {}, signal).then(({ alertDestinations }) => alertDestinations),
});
export const fetchDestination = (id: string) =>
  ask(DESTINATIONS, {}).then(({ alertDestinations }) => found(alertDestinations, id));

function found<T extends { id: string }>(things: readonly T[], id: string): T {
  const thing = things.find((each) => each.id === id);
  if (thing === undefined) throw new Error(id);
  return thing;
}

const CREATE_RULE = graphql(`mutation CreateAlertRule($input: AlertRuleInput!) { createAlertRule(input: $input) { ...RuleFields } }`, [
  RULE,
]);
export type RuleInput = VariablesOf<typeof CREATE_RULE>["input"];
export const createRule = (input: RuleInput) => ask(CREATE_RULE, { input }).then((data) => data.createAlertRule);

const UPDATE_RULE = graphql(
  `
  mutation UpdateAlertRule($id: ID!, $revision: Int!, $input: AlertRuleInput!) {
    updateAlertRule(id: $id, revision: $revision, input: $input) { ...RuleFields }
  }
`,
  [RULE],
);
export const updateRule = (id: string, revision: number, input: RuleInput) =>
  ask(UPDATE_RULE, { id, revision, input }).then((data) => data.updateAlertRule);

const DELETE_RULE = graphql(`mutation DeleteAlertRule($id: ID!, $revision: Int!) { deleteAlertRule(id: $id, revision: $revision) }`);
export const deleteRule = ({ id, revision }: Rule) => ask(DELETE_RULE, { id, revision });

const CREATE_DESTINATION = graphql(
  `
  mutation CreateAlertDestination($input: AlertDestinationInput!) {
    createAlertDestination(input: $input) { destination { ...DestinationFields } secret }
  }
`,
  [DESTINATION],
);
export type DestinationInput = VariablesOf<typeof CREATE_DESTINATION>["input"];
export const createDestination = (input: DestinationInput) =>
  ask(CREATE_DESTINATION, { input }).then((data) => data.createAlertDestination);
export type Created = ResultOf<typeof CREATE_DESTINATION>["createAlertDestination"];

const UPDATE_DESTINATION = graphql(
  `
  mutation UpdateAlertDestination($id: ID!, $revision: Int!, $input: AlertDestinationInput!) {
    updateAlertDestination(id: $id, revision: $revision, input: $input) { ...DestinationFields }
  }
`,
  [DESTINATION],
);
export const updateDestination = (id: string, revision: number, input: DestinationInput) =>
  ask(UPDATE_DESTINATION, { id, revision, input }).then((data) => data.updateAlertDestination);

const DELETE_DESTINATION = graphql(
  `mutation DeleteAlertDestination($id: ID!, $revision: Int!) { deleteAlertDestination(id: $id, revision: $revision) }`,
);
export const deleteDestination = ({ id, revision }: Destination) => ask(DELETE_DESTINATION, { id, revision });

const TEST = graphql(`mutation TestAlertDestination($id: ID!) { testAlertDestination(id: $id) { ...DeliveryFields } }`, [DELIVERY]);
export const testDestination = (id: string) => ask(TEST, { id }).then((data) => data.testAlertDestination);
