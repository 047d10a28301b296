/** Models as the admin API has them. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";

export const MODEL = graphql(`
  fragment ModelFields on Model {
    id name description isEnabled projects fallbacks managedBy revision
    targets {
      channel tag model weight order
      condition { apis streams hasTools minTokens maxTokens keys projects }
      servedBy { id name isEnabled serves health price { input output } }
    }
    usage(days: 7) { turns failures inputTokens outputTokens costUsd }
  }
`);
export type Model = ResultOf<typeof MODEL>;
export type Target = Model["targets"][number];

const LIST = graphql(
  `
  query Models($after: String) {
    models(first: 200, after: $after) { nodes { ...ModelFields } pageInfo { hasNextPage endCursor } }
  }
`,
  [MODEL],
);
/** All of them: a gateway has few. */
export const modelsQuery = queryOptions({
  queryKey: ["models", "list"],
  queryFn: async ({ signal }) => {
    const all: Model[] = [];
    for (let after: string | null = null; ; ) {
      const { models }: ResultOf<typeof LIST> = await ask(LIST, { after }, signal);
      all.push(...models.nodes);
      if (!models.pageInfo.hasNextPage) return all;
      after = models.pageInfo.endCursor;
    }
  },
  refetchInterval: 10_000,
});

const ONE = graphql(`query Model($id: ID!) { model(id: $id) { ...ModelFields } }`, [MODEL]);
export const fetchModel = (id: string) => ask(ONE, { id }).then((found) => found.model);

const CREATE = graphql(`mutation CreateModel($input: ModelInput!) { createModel(input: $input) { ...ModelFields } }`, [MODEL]);
export type ModelInput = VariablesOf<typeof CREATE>["input"];
export const createModel = (input: ModelInput) => ask(CREATE, { input }).then((found) => found.createModel);

const UPDATE = graphql(
  `
  mutation UpdateModel($id: ID!, $revision: Int!, $input: ModelInput!) {
    updateModel(id: $id, revision: $revision, input: $input) { ...ModelFields }
  }
`,
  [MODEL],
);
export const updateModel = (id: string, revision: number, input: ModelInput) =>
  ask(UPDATE, { id, revision, input }).then((found) => found.updateModel);

const DELETE = graphql(`mutation DeleteModel($id: ID!, $revision: Int!) { deleteModel(id: $id, revision: $revision) }`);
export const deleteModel = (model: Model) => ask(DELETE, { id: model.id, revision: model.revision });

const DRAFT = graphql(`
  query ModelDraft($id: ID, $input: ModelInput!) {
    modelDraft(id: $id, input: $input) { problems { field message } }
  }
`);
export const problemsQuery = (id: string | undefined, input: ModelInput) =>
  queryOptions({
    queryKey: ["models", "draft", id, input],
    queryFn: ({ signal }) => ask(DRAFT, { id: id ?? null, input }, signal).then((found) => found.modelDraft.problems),
    placeholderData: (before) => before,
    gcTime: 30_000,
  });
