import { expect, test } from "vitest";
import { differences, inputOf, isShorter } from "./draft";

const HELD = { turnDays: 30, bodyDays: 3, revision: 1, file: "", indexesBodies: false };

test("an empty field sets the default", () => {
  expect(inputOf({ turnDays: "", bodyDays: " 7 " })).toEqual({ turnDays: null, bodyDays: 7 });
});

test("keeping less is noticed, keeping more is not", () => {
  expect(isShorter({ turnDays: "29", bodyDays: "3" }, HELD)).toBe(true);
  expect(isShorter({ turnDays: "30", bodyDays: "2" }, HELD)).toBe(true);
  expect(isShorter({ turnDays: "31", bodyDays: "3" }, HELD)).toBe(false);
});

test("two versions differ field by field", () => {
  const mine = { turnDays: "60", bodyDays: "3" };
  expect(differences({ turnDays: "30", bodyDays: "3" }, mine)).toEqual([{ field: "turnDays", theirs: "30", yours: "60" }]);
});
