/** Budgets as the admin API has them. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";

const BUDGET = graphql(`
  fragment BudgetFields on Budget {
    id kind subjectID subjectName period unit amount warnsAt action managedBy isOfKey spent share warnedAt resetsAt
    timeZone unpricedModels revision
  }
`);
export type Budget = ResultOf<typeof BUDGET>;

const LIST = graphql(`query Budgets { budgets { ...BudgetFields } budgetCalendar { timeZone isDeclared } }`, [BUDGET]);
export const budgetsQuery = queryOptions({
  queryKey: ["budgets", "list"],
  queryFn: ({ signal }) => ask(LIST, {}, signal),
  refetchInterval: 30_000,
});

export const fetchBudget = (id: string) =>
  ask(LIST, {}).then((told) => {
    const found = told.budgets.find((each) => each.id === id);
    if (found === undefined) throw new Error("this budget is gone");
    return found;
  });

const CREATE = graphql(`mutation CreateBudget($input: NewBudgetInput!) { createBudget(input: $input) { ...BudgetFields } }`, [BUDGET]);
export type NewBudget = VariablesOf<typeof CREATE>["input"];
export const createBudget = (input: NewBudget) => ask(CREATE, { input }).then((told) => told.createBudget);

const UPDATE = graphql(
  `
  mutation UpdateBudget($id: ID!, $revision: Int!, $input: BudgetInput!) {
    updateBudget(id: $id, revision: $revision, input: $input) { ...BudgetFields }
  }
`,
  [BUDGET],
);
export type BudgetInput = VariablesOf<typeof UPDATE>["input"];
export const updateBudget = (id: string, revision: number, input: BudgetInput) =>
  ask(UPDATE, { id, revision, input }).then((told) => told.updateBudget);

const DELETE = graphql(`mutation DeleteBudget($id: ID!, $revision: Int!) { deleteBudget(id: $id, revision: $revision) }`);
export const deleteBudget = (budget: Budget) => ask(DELETE, { id: budget.id, revision: budget.revision });

const SET_ZONE = graphql(`mutation SetBudgetTimeZone($zone: String!) { setBudgetTimeZone(timeZone: $zone) { timeZone } }`);
export const setZone = (zone: string) => ask(SET_ZONE, { zone });
