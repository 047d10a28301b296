/** Typed documents: the schema in docs/reference is the source of their types. */
import { initGraphQLTada, type TadaDocumentNode } from "gql.tada";
import type { introspection } from "./schema";

interface Scalars {
  ID: string;
  String: string;
  Boolean: boolean;
  Int: number;
  Float: number;
  DateTime: string;
  Int64: number;
  JSON: unknown;
}

export const graphql = initGraphQLTada<{ introspection: introspection; disableMasking: true; scalars: Scalars }>();

type Types = introspection["types"];

/** The values of an enum of the schema. */
export type EnumOf<Name extends keyof Types> = Types[Name] extends { enumValues: infer Values } ? Values : never;

type Scalar<Type> = Type extends { kind: "SCALAR"; name: infer Name extends keyof Scalars } ? Scalars[Name] : never;
type ValueOf<Type> = Type extends { kind: "NON_NULL"; ofType: infer Inner } ? Scalar<Inner> : Scalar<Type> | null;

/** The fields of a type of the schema that are scalars. */
export type ScalarsOf<Name extends keyof Types> = Types[Name] extends { fields: infer Fields extends Record<string, { type: unknown }> }
  ? { [Field in keyof Fields as [NonNullable<ValueOf<Fields[Field]["type"]>>] extends [never] ? never : Field]: ValueOf<Fields[Field]["type"]> }
  : never;

/** A fragment of scalars: one list of names says what is asked, and what comes. */
export function fragmentOf<Name extends string, On extends keyof Types, Field extends keyof ScalarsOf<On> & string>(
  name: Name,
  on: On,
  fields: readonly Field[],
) {
  const text: string = `fragment ${name} on ${on} { ${fields.join(" ")} }`;
  type Definition = { fragment: Name; on: On; masked: false };
  return graphql(text) as unknown as TadaDocumentNode<Pick<ScalarsOf<On>, Field>, Record<string, never>, Definition>;
}

export type { ResultOf, VariablesOf } from "gql.tada";
