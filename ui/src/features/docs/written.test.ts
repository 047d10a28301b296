import { expect, test } from "vitest";
import { PLACES, START } from "@/app/places";
import { linked } from "./pages";
import { WRITTEN, writtenOf } from "./written";

const first = (path: string) => path.split("/")[1] ?? "";

test("each place of the navigation has a page of its own that is written about it", () => {
  const places = [...PLACES.flat(), START].map((place) => first(place.to));
  expect(places.filter((place) => !(place in WRITTEN))).toEqual([]);
});

test("each of these pages is among those that the page was built with", () => {
  expect(Object.values(WRITTEN).filter((path) => linked("index.md", path) !== path)).toEqual([]);
});

test("below a place its page counts, and elsewhere the map of all", () => {
  expect(writtenOf("/traces/t_1")).toBe("reference/sessions.md");
  expect(writtenOf("/nowhere")).toBe("index.md");
});
