/** The documentation as it stood when the page was built; each file is loaded when it is read. */
const FILES = import.meta.glob<string>(["../../../../docs/{tutorial,how-to,reference,explanation}/*.md", "../../../../docs/index.md"], {
  query: "?raw",
  import: "default",
});
const BEGINNING = "../../../../docs/";

/** The page that leads to all others. */
export const INDEX = "index.md";

/** By its path below `docs`, as `how-to/manage.md`. */
export const readDoc = (path: string): Promise<string> | undefined => FILES[BEGINNING + path]?.();

/** A link of a page of the documentation: to another page, by its path; undefined for one that leads elsewhere. */
export function linked(from: string, to: string): string | undefined {
  if (/^[a-z]+:|^#/i.test(to)) return undefined;
  const path = new URL(to, `https://docs/${from}`).pathname.slice(1);
  return BEGINNING + path in FILES ? path : undefined;
}
