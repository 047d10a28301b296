import { describe, expect, it } from "vitest";
import { changeOf } from "./changed";
import { type Pair, rowsOf } from "./difference";

const body = (...input: unknown[]) => JSON.stringify({ model: "m", input });

describe("what changed", () => {
  it("is read from its text", () => {
    expect(changeOf("input[13] of 31: function_call_output of the reply removed; model")).toEqual({
      item: { number: 14, count: 31, kind: "function_call_output", isOfReply: true, edit: "removed" },
      properties: "model",
    });
    expect(changeOf("input[0] of 2: user message").item?.kind).toBe("user_message");
    expect(changeOf("input[1024] or later of 1500").item?.edit).toBe("later");
    expect(changeOf('tools[2] "shell", reasoning.effort')).toEqual({ item: null, properties: 'tools[2] "shell", reasoning.effort' });
  });
});

describe("two requests", () => {
  it("have equal items folded, and the changed one beside what it was", () => {
    const rows = rowsOf(body("a", { x: 1, y: 2 }, "c"), body("a", { y: 3, x: 1 }, "c"));
    expect(rows.map((row) => ("equal" in row ? row.equal : row.name))).toEqual([1, "input[1]", 1]);
    const pair = rows[1] as Pair;
    expect(pair.before.filter((line) => line.isOther).map((line) => line.text.trim())).toEqual(['"y": 2']);
    expect(pair.now.filter((line) => line.isOther).map((line) => line.text.trim())).toEqual(['"y": 3']);
  });

  it("have items that came or went on one side alone", () => {
    expect((rowsOf(body("a", "b", "c"), body("a", "c"))[1] as Pair).now).toEqual([]);
    expect((rowsOf(body("a", "c"), body("a", "b", "c"))[1] as Pair).before).toEqual([]);
  });

  it("have members that changed first, and no row for the order of keys", () => {
    const rows = rowsOf('{"model":"m","messages":[{"a":1,"b":2}]}', '{"model":"n","messages":[{"b":2,"a":1}]}');
    expect(rows.map((row) => row.name)).toEqual(["model", "messages"]);
  });

  it("that are no objects have no rows", () => {
    expect(rowsOf("[]", "{}")).toEqual([]);
    expect(rowsOf("nothing", "{}")).toEqual([]);
  });
});
