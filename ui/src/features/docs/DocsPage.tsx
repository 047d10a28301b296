/** A page of the documentation, read in the gateway itself: of its very version, and without a network. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Snippet } from "@/shared/Copy";
import { Card, Page } from "@/shared/Page";
import { Empty, SkeletonRows } from "@/shared/states";
import { type Block, blocksOf } from "./blocks";
import { INDEX, linked, readDoc } from "./pages";

const route = getRouteApi("/shell/help/$");

export function DocsPage() {
  const { t } = useTranslation("docs");
  const { _splat = "" } = route.useParams();
  const path = _splat === "" ? INDEX : _splat;
  const found = useQuery({ queryKey: ["docs", path], queryFn: async () => (await readDoc(path)) ?? "", staleTime: Number.POSITIVE_INFINITY });
  const blocks = blocksOf(found.data ?? "");
  const [first] = blocks;
  const title = first?.kind === "heading" ? first.text : t("title");
  return (
    <Page title={title} lead={t("lead")}>
      <Card>
        {found.isPending ? (
          <SkeletonRows />
        ) : blocks.length === 0 ? (
          <Empty title={t("none")} action={<Contents />}>
            {t("noneText", { path: `docs/${path}` })}
          </Empty>
        ) : (
          <div className="max-w-3xl space-y-3 [&_:is(h2,h3)]:pt-3">
            {blocks.slice(first?.kind === "heading" ? 1 : 0).map((block, index) => (
              <Shown key={index} block={block} path={path} />
            ))}
          </div>
        )}
      </Card>
    </Page>
  );
}

function Contents() {
  const { t } = useTranslation("docs");
  return (
    <Link to="/help/$" params={{ _splat: INDEX }} className="text-accent underline">
      {t("contents")}
    </Link>
  );
}

function Shown({ block, path }: { block: Block; path: string }) {
  const { t } = useTranslation("docs");
  const inline = (text: string) => <Inline text={text} path={path} />;
  switch (block.kind) {
    case "heading":
      return block.level <= 2 ? <h2 className="text-base font-semibold">{inline(block.text)}</h2> : <h3 className="font-semibold">{inline(block.text)}</h3>;
    case "text":
      return <p>{inline(block.text)}</p>;
    case "quote":
      return <blockquote className="border-l-2 border-line-strong pl-3 text-soft">{inline(block.text)}</blockquote>;
    case "code":
      return <Snippet label={t("code")} text={block.text} />;
    case "list": {
      const items = block.items.map((item, index) => <li key={index}>{inline(item)}</li>);
      return block.isOrdered ? <ol className="list-decimal space-y-1 pl-6">{items}</ol> : <ul className="list-disc space-y-1 pl-6">{items}</ul>;
    }
    case "table":
      return <Grid block={block} inline={inline} />;
  }
}

function Grid({ block, inline }: { block: Extract<Block, { kind: "table" }>; inline: (text: string) => ReactNode }) {
  const { t } = useTranslation("docs");
  const cell = "border-b border-line px-2 py-1.5 text-left align-top [overflow-wrap:break-word]";
  return (
    <div className="overflow-x-auto" tabIndex={0} role="group" aria-label={t("table")}>
      <table className="w-full border-collapse">
        <thead>
          <tr>
            {block.head.map((each, index) => (
              <th key={index} scope="col" className={`${cell} font-medium text-soft`}>
                {inline(each)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row, index) => (
            <tr key={index}>
              {row.map((each, place) => (
                <td key={place} className={cell}>
                  {inline(each)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const PARTS = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|!?\[[^\]]*\]\([^)\s]+\))/;

/** Code, what is stressed, and links within a text. */
function Inline({ text, path }: { text: string; path: string }) {
  return text.split(PARTS).map((part, index) => <Fragment key={index}>{partOf(part, path)}</Fragment>);
}

function partOf(part: string, path: string): ReactNode {
  if (/^`.+`$/.test(part)) return <code className="font-mono text-[12.5px] break-words">{part.slice(1, -1)}</code>;
  if (/^\*\*.+\*\*$/.test(part)) return <strong>{part.slice(2, -2)}</strong>;
  if (/^\*[^*].*\*$/.test(part)) return <em>{part.slice(1, -1)}</em>;
  const [, label = "", to = ""] = /^!?\[([^\]]*)\]\(([^)\s]+)\)$/.exec(part) ?? [];
  if (to === "") return part;
  const page = linked(path, to);
  const words = label.replaceAll("`", "");
  if (page !== undefined) {
    return (
      <Link to="/help/$" params={{ _splat: page }} className="underline">
        {words}
      </Link>
    );
  }
  return /^https?:/.test(to) ? <a href={to} target="_blank" rel="noreferrer" className="underline">{words}</a> : words;
}
