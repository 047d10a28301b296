// @vitest-environment node
import { type DocumentNode, print } from "graphql";
import { expect, test } from "vitest";
import { fragmentOf, graphql } from "./graphql";

test("a fragment of a list of names asks for them, in their order", () => {
  const user = fragmentOf("Named", "User", ["id", "email"]);
  const document = graphql("query One($id: ID!) { user(id: $id) { ...Named } }", [user]);
  expect(print(document as unknown as DocumentNode).replace(/\s+/g, " ")).toBe(
    "query One($id: ID!) { user(id: $id) { ...Named } } fragment Named on User { id email }",
  );
});
