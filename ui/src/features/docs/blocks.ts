/** The parts of a page of the documentation: as much of Markdown as it uses. */
export type Block =
  | { kind: "heading"; level: number; text: string }
  | { kind: "text" | "quote"; text: string }
  | { kind: "code"; text: string }
  | { kind: "list"; isOrdered: boolean; items: string[] }
  | { kind: "table"; head: string[]; rows: string[][] };

const LIST = /^\s*([-*]|\d+\.)\s+/;
const START = /^(#{1,6}\s|```|\||>|\s*([-*]|\d+\.)\s)/;

const cells = (line: string) =>
  line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));

export function blocksOf(text: string): Block[] {
  const lines = text.replace(/<!--[\s\S]*?-->\n?/g, "").split("\n");
  const blocks: Block[] = [];
  let at = 0;
  const taken = (belongs: (line: string) => boolean) => {
    const from = at;
    while (at < lines.length && belongs(lines[at] ?? "")) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const [, marks] = /^(#{1,6})\s/.exec(line) ?? [];
    if (line.trim() === "") at += 1;
    else if (marks !== undefined) blocks.push({ kind: "heading", level: marks.length, text: taken((each) => each === line)[0]?.slice(marks.length).trim() ?? "" });
    else if (line.startsWith("```")) {
      at += 1;
      blocks.push({ kind: "code", text: taken((each) => !each.startsWith("```")).join("\n") });
      at += 1;
    } else if (line.startsWith("|")) blocks.push(table(taken((each) => each.startsWith("|"))));
    else if (line.startsWith(">")) blocks.push({ kind: "quote", text: taken((each) => each.startsWith(">")).map((each) => each.slice(1)).join(" ") });
    else if (LIST.test(line)) blocks.push(list(taken((each) => each.trim() !== "" && (LIST.test(each) || /^\s/.test(each)))));
    else {
      const first = at;
      blocks.push({ kind: "text", text: taken((each) => each.trim() !== "" && (at === first || !START.test(each))).join(" ") });
    }
  }
  return blocks;
}

function table(lines: string[]): Block {
  const [head = [], , ...rows] = lines.map(cells);
  return { kind: "table", head, rows };
}

function list(lines: string[]): Block {
  const items: string[] = [];
  for (const line of lines) {
    if (LIST.test(line)) items.push(line.replace(LIST, ""));
    else items.push(`${items.pop() ?? ""} ${line.trim()}`);
  }
  return { kind: "list", isOrdered: /^\s*\d/.test(lines[0] ?? ""), items };
}
