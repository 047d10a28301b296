// @vitest-environment node
import { dirname, join } from "node:path/posix";
import { expect, test } from "vitest";

const TEXTS = import.meta.glob<string>(["./**/*.ts", "./**/*.tsx"], { query: "?raw", import: "default", eager: true });
/** Imports of types, too; but not `import("…")`, by which a route waits for its page. */
const IMPORT = /^(?:import|export)\b(?:[^;]*?\bfrom)?\s*"([^"]+)"/gm;
const ENDINGS = ["", ".ts", ".tsx"];

/** The module that an import names, as a key of `texts`; nothing for one from elsewhere. */
function resolved(name: string, importer: string, texts: Record<string, string>): string | undefined {
  if (!/^(@|\.\.?)\//.test(name)) return undefined;
  const path = name.startsWith("@/") ? name.slice(2) : join(dirname(importer), name);
  return ENDINGS.map((ending) => `./${path}${ending}`).find((each) => each in texts);
}

/** The first cycle of imports, from a module back to itself. */
function cycleIn(texts: Record<string, string>): string[] | undefined {
  const done = new Set<string>();
  const walk = (module: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(module)) return [...path.slice(path.indexOf(module)), module];
    if (done.has(module)) return undefined;
    for (const [, name] of (texts[module] ?? "").matchAll(IMPORT)) {
      const next = resolved(name ?? "", module, texts);
      const found = next === undefined ? undefined : walk(next, [...path, module]);
      if (found !== undefined) return found;
    }
    done.add(module);
    return undefined;
  };
  return Object.keys(texts).map((module) => walk(module, [])).find((found) => found !== undefined);
}

test("no modules import each other, types included", () => {
  expect(cycleIn(TEXTS)).toBeUndefined();
});

test("a cycle is found, over several modules and by either way to name one", () => {
  const texts = {
    "./a.ts": 'import { b } from "./b/b";\n',
    "./b/b.tsx": 'import {\n  type C,\n} from "@/c";\n',
    "./c.ts": 'export * from "./a";\n',
  };
  expect(cycleIn(texts)).toEqual(["./a.ts", "./b/b.tsx", "./c.ts", "./a.ts"]);
  expect(cycleIn({ ...texts, "./c.ts": 'const a = import("./a");\n' })).toBeUndefined();
});
