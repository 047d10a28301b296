import { expect, test } from "vitest";
import { found, grouped, isLongEnough, rank } from "./found";

test("a beginning counts more than a part, a part more than scattered letters", () => {
  expect(["Channels", "My channels", "c h a", "Keys"].map((name) => rank(name, "cha"))).toEqual([4, 3, 2, 0]);
});

test("the best entries come first", () => {
  const entry = (name: string) => ({ name, group: "", run: () => undefined });
  expect(found([entry("All keys"), entry("Keys")], "key").map((each) => each.name)).toEqual(["Keys", "All keys"]);
});

test("three letters are looked for, and two characters of Chinese", () => {
  expect(["ab", "abc", "会", "会议", "a会"].map(isLongEnough)).toEqual([false, true, false, true, true]);
});

test("a group stands where its best entry does", () => {
  const entry = (group: string, name: string) => ({ name, group, run: () => undefined });
  const entries = [entry("Turns", "a"), entry("Keys", "b"), entry("Turns", "c")];
  expect(grouped(entries).map(({ group, entries: own }) => [group, own.map((each) => each.name).join("")])).toEqual([
    ["Turns", "ac"],
    ["Keys", "b"],
  ]);
});
