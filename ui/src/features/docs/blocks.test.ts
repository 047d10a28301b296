import { expect, test } from "vitest";
import { blocksOf } from "./blocks";
import { linked } from "./pages";

test("a page is cut into what the documentation is made of", () => {
  const text = "# Title\n\nSome words\nthat go on.\n\n- one\n  and more\n- two\n\n```sh\nlongwire serve\n\n# done\n```\n\n| a | b |\n|---|---|\n| 1 | x \\| y |\n\n> Quoted.\n1. first\n";
  expect(blocksOf(text)).toEqual([
    { kind: "heading", level: 1, text: "Title" },
    { kind: "text", text: "Some words that go on." },
    { kind: "list", isOrdered: false, items: ["one and more", "two"] },
    { kind: "code", text: "longwire serve\n\n# done" },
    { kind: "table", head: ["a", "b"], rows: [["1", "x | y"]] },
    { kind: "quote", text: " Quoted." },
    { kind: "list", isOrdered: true, items: ["first"] },
  ]);
});

test("a link leads to another page, wherever it is written", () => {
  expect(linked("how-to/manage.md", "../reference/glossary.md#a")).toBe("reference/glossary.md");
  expect(linked("how-to/manage.md", "manage.md")).toBe("how-to/manage.md");
  expect(linked("how-to/manage.md", "https://example.org/x.md")).toBeUndefined();
  expect(linked("how-to/manage.md", "../../src/longwire/app.py")).toBeUndefined();
});
