// @vitest-environment node
import { expect, test, vi } from "vitest";
import { isNewer, type Part, TurnLog } from "./log";

interface Row {
  id: string;
}

const row = (id: number): Row => ({ id: String(id) });
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A log as the gateway has it: newest first, behind a cursor that is the last id. */
function gateway(count: number) {
  const ids = Array.from({ length: count }, (_, index) => count + 1_000 - index);
  const asked: (string | null)[] = [];
  const fetch = async (after: string | null): Promise<Part<Row>> => {
    asked.push(after);
    const found = ids.filter((id) => after === null || id < Number(after));
    const nodes = found.slice(0, 10).map(row);
    return { nodes, pageInfo: { hasNextPage: found.length > 10, endCursor: nodes.at(-1)?.id ?? null } };
  };
  return { ids, asked, fetch, end: (id: number) => ids.unshift(id) };
}

async function read(log: TurnLog<Row>, to: number): Promise<void> {
  for (let index = 0; index <= to; index += 5) {
    log.see(index, index + 5);
    await settled();
  }
}

test("a log is read page after page as it is scrolled, to its end", async () => {
  const from = gateway(35);
  const log = new TurnLog(from.fetch, 10);
  log.see(0, 5);
  await settled();
  await settled();
  expect(log.view().length).toBe(20);
  expect(log.view().isWhole).toBe(false);
  await read(log, 40);
  const view = log.view();
  expect(view.isWhole).toBe(true);
  expect(Array.from({ length: view.length }, (_, index) => view.at(index)?.id)).toEqual(from.ids.map(String));
  expect(from.asked).toEqual([null, "1026", "1016", "1006"]);
});

test("pages far from the reader give up their rows, and have them again when the reader returns", async () => {
  const from = gateway(200);
  const log = new TurnLog(from.fetch, 10, 4);
  await read(log, 190);
  expect(log.view().length).toBe(200);
  const held = () => Array.from({ length: 20 }, (_, page) => log.view().at(page * 10) !== undefined).filter(Boolean).length;
  expect(held()).toBe(5);
  expect(log.view().at(55)).toBeUndefined();
  log.see(50, 56);
  await settled();
  expect(log.view().at(55)?.id).toBe("1145");
  expect(log.view().length).toBe(200);
  expect(held()).toBe(5);
});

test("a turn that ends waits aside and moves nothing, until it is wanted", async () => {
  const from = gateway(15);
  const log = new TurnLog(from.fetch, 10);
  await read(log, 15);
  const before = log.view();
  log.add(row(2_001));
  log.add(row(2_000));
  log.add(row(2_001));
  expect(log.view().newer).toBe(2);
  expect(log.view().at(0)).toBe(before.at(0));
  expect(log.view().beginning).toBe(before.beginning);
  log.showNewer();
  expect([0, 1, 2].map((index) => log.view().at(index)?.id)).toEqual(["2001", "2000", "1015"]);
  expect(log.view().length).toBe(17);
  expect(log.view().newer).toBe(0);
  expect(log.view().beginning).not.toBe(before.beginning);
});

test("turns that nobody told of are found, and none is counted twice", async () => {
  const from = gateway(15);
  const log = new TurnLog(from.fetch, 10);
  await read(log, 15);
  from.end(2_000);
  from.end(2_001);
  log.add(row(2_001));
  await log.catchUp();
  await log.catchUp();
  expect(log.view().newer).toBe(2);
});

test("where more ended than a page holds, the log is begun anew", async () => {
  const from = gateway(15);
  const log = new TurnLog(from.fetch, 10);
  await read(log, 15);
  for (let id = 2_000; id < 2_012; id += 1) from.end(id);
  await log.catchUp();
  log.showNewer();
  await read(log, 20);
  expect(Array.from({ length: 27 }, (_, index) => log.view().at(index)?.id)).toEqual(from.ids.map(String));
});

test("a log without a turn shows the first that ends at once", async () => {
  const log = new TurnLog(gateway(0).fetch, 10);
  log.see(0, 0);
  await settled();
  log.add(row(7));
  expect([log.view().length, log.view().at(0)?.id, log.view().newer]).toEqual([1, "7", 0]);
});

test("a failure is told, stops the asking, and is over when it is tried again", async () => {
  const from = gateway(15);
  const fetch = vi.fn(from.fetch).mockRejectedValueOnce(new Error("gone"));
  const log = new TurnLog(fetch, 10);
  log.see(0, 5);
  await settled();
  expect(log.view().failure).toEqual(new Error("gone"));
  log.see(0, 6);
  await settled();
  expect(fetch).toHaveBeenCalledTimes(1);
  log.retry();
  await settled();
  expect([log.view().failure, log.view().length > 0]).toEqual([undefined, true]);
});

test("ids are compared as the numbers they are", () => {
  expect([isNewer("9", "10"), isNewer("10", "9"), isNewer("3731000000000000002", "3731000000000000001")]).toEqual([false, true, true]);
});
