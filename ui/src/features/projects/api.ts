/** Projects as the admin API has them. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";

const PROJECT = graphql(`fragment ProjectFields on Project { id name description status createdAt revision memberIDs }`);
export type Project = ResultOf<typeof PROJECT>;

const LIST = graphql(`query Projects { projects(first: 200) { nodes { ...ProjectFields } } }`, [PROJECT]);
export const projectsQuery = queryOptions({ queryKey: ["projects"], queryFn: ({ signal }) => ask(LIST, {}, signal) });

const ONE = graphql(`query Project($id: ID!) { project(id: $id) { ...ProjectFields } }`, [PROJECT]);
export const fetchProject = (id: string) => ask(ONE, { id }).then((told) => told.project);

const CREATE = graphql(`mutation CreateProject($input: ProjectInput!) { createProject(input: $input) { id } }`);
export type ProjectInput = VariablesOf<typeof CREATE>["input"];
export const createProject = (input: ProjectInput) => ask(CREATE, { input });

const UPDATE = graphql(`
  mutation UpdateProject($id: ID!, $revision: Int!, $input: ProjectInput!) {
    updateProject(id: $id, revision: $revision, input: $input) { id }
  }
`);
export const updateProject = (id: string, revision: number, input: ProjectInput) => ask(UPDATE, { id, revision, input });

const DELETE = graphql(`mutation DeleteProject($id: ID!, $revision: Int!) { deleteProject(id: $id, revision: $revision) }`);
export const deleteProject = (project: Project) => ask(DELETE, { id: project.id, revision: project.revision });

const ADD = graphql(`mutation AddMember($project: ID!, $user: ID!) { addUserToProject(projectID: $project, userID: $user) { id } }`);
const REMOVE = graphql(
  `mutation RemoveMember($project: ID!, $user: ID!) { removeUserFromProject(projectID: $project, userID: $user) { id } }`,
);
export const setMember = async (project: string, user: string, isMember: boolean): Promise<void> => {
  await (isMember ? ask(ADD, { project, user }) : ask(REMOVE, { project, user }));
};

const PEOPLE = graphql(`query People { users(first: 200) { nodes { id email name } } }`);
export const peopleQuery = queryOptions({ queryKey: ["users", "people"], queryFn: ({ signal }) => ask(PEOPLE, {}, signal) });
