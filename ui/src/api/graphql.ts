/** Typed documents: the schema in docs/reference is the source of their types. */
import { initGraphQLTada } from "gql.tada";
import type { introspection } from "./schema";

export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: {
    ID: string;
    DateTime: string;
    Int64: number;
    JSON: unknown;
  };
}>();

/** The values of an enum of the schema. */
export type EnumOf<Name extends keyof introspection["types"]> = introspection["types"][Name] extends { enumValues: infer Values } ? Values : never;

export type { ResultOf, VariablesOf } from "gql.tada";
