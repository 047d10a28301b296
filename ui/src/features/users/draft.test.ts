import { expect, test } from "vitest";
import { differences, mayChange, newPassword, NEW_USER, rolesOf } from "./draft";

const ADMIN = ["users:read", "users:write"];
const OWNER = [...ADMIN, "owners:write"];

test("owners are made and changed by owners alone", () => {
  expect([rolesOf(false).includes("OWNER"), rolesOf(true).includes("OWNER")]).toEqual([false, true]);
  expect([mayChange({ role: "OWNER" }, ADMIN), mayChange({ role: "OWNER" }, OWNER)]).toEqual([false, true]);
  expect([mayChange({ role: "ADMIN" }, ADMIN), mayChange({ role: "VIEWER" }, ["users:read"])]).toEqual([true, false]);
});

test("a password that is made up is long, and another one each time", () => {
  const made = new Set(Array.from({ length: 50 }, newPassword));
  expect(made.size).toBe(50);
  for (const each of made) expect(each).toMatch(/^[a-zA-Z2-9]{20}$/);
});

test("two versions differ by what people see, never by a password", () => {
  const yours = { ...NEW_USER, name: "Ada", password: "typed" };
  expect(differences(NEW_USER, yours)).toEqual([{ field: "name", theirs: "", yours: "Ada" }]);
});
