/** Projects as the admin API has them. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";

export const PROJECT = graphql(`
  fragment ProjectFields on Project { id name description status createdAt revision memberIDs
    memberBounds { models channels rates { requestsPerMinute tokensPerMinute concurrentTurns } budgets { tokensPerDay tokensPerMonth costPerDay costPerMonth } }
  }
`);
export type Project = ResultOf<typeof PROJECT>;
export type Status = Project["status"];

/** The one that is there from the start: it can be neither archived nor deleted. */
export const DEFAULT_PROJECT = "prj_default";

const LIST = graphql(
  `
  query Projects($after: String) {
    projects(first: 200, after: $after) { nodes { ...ProjectFields } pageInfo { hasNextPage endCursor } }
  }
`,
  [PROJECT],
);
/** All of them: a gateway has few. */
export const projectsQuery = queryOptions({
  queryKey: ["projects", "list"],
  queryFn: async ({ signal }) => {
    const all: Project[] = [];
    for (let after: string | null = null; ; ) {
      const { projects }: ResultOf<typeof LIST> = await ask(LIST, { after }, signal);
      all.push(...projects.nodes);
      if (!projects.pageInfo.hasNextPage) return all;
      after = projects.pageInfo.endCursor;
    }
  },
});

const ONE = graphql(`query Project($id: ID!) { project(id: $id) { ...ProjectFields } }`, [PROJECT]);
export const fetchProject = (id: string) => ask(ONE, { id }).then((told) => told.project);

const CREATE = graphql(`mutation CreateProject($input: ProjectInput!) { createProject(input: $input) { ...ProjectFields } }`, [
  PROJECT,
]);
export type ProjectInput = VariablesOf<typeof CREATE>["input"];
export const createProject = (input: ProjectInput) => ask(CREATE, { input }).then((told) => told.createProject);

const UPDATE = graphql(
  `
  mutation UpdateProject($id: ID!, $revision: Int!, $input: ProjectInput!) {
    updateProject(id: $id, revision: $revision, input: $input) { ...ProjectFields }
  }
`,
  [PROJECT],
);
export const updateProject = (id: string, revision: number, input: ProjectInput) =>
  ask(UPDATE, { id, revision, input }).then((told) => told.updateProject);

const DELETE = graphql(`mutation DeleteProject($id: ID!, $revision: Int!) { deleteProject(id: $id, revision: $revision) }`);
export const deleteProject = (project: Project) => ask(DELETE, { id: project.id, revision: project.revision });

const ADD = graphql(`mutation AddMember($project: ID!, $user: ID!) { addUserToProject(projectID: $project, userID: $user) { id } }`);
export const addMember = (project: string, user: string) => ask(ADD, { project, user });

const REMOVE = graphql(
  `mutation RemoveMember($project: ID!, $user: ID!) { removeUserFromProject(projectID: $project, userID: $user) { id } }`,
);
export const removeMember = (project: string, user: string) => ask(REMOVE, { project, user });
