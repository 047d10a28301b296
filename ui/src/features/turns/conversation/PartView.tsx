/** The parts of a message. All of it is text: nothing that was said becomes markup, and nothing is fetched. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { bytes } from "@/shared/format";
import type { Part } from "./parts";

/** A longer text is folded. */
const LETTERS = 1_600;
const LINES = 16;

export function PartView({ part }: { part: Part }) {
  const { t } = useTranslation("turns");
  switch (part.kind) {
    case "text":
      return <Said text={part.text} />;
    case "reasoning":
      if (part.text === "") return <p className="text-[13px] text-soft">{t("sealedReasoning")}</p>;
      return <Folded name={t("reasoningText")} text={part.text} />;
    case "call":
      return <Called part={part} />;
    case "result":
      return (
        <Labelled name={t("resultOf", { id: part.name || part.id, interpolation: { escapeValue: false } })} parts={part.parts} />
      );
    case "image":
      if (part.source === "") return <p className="text-[13px] text-soft">{t("imageNotShown")}</p>;
      return <img src={part.source} alt={t("image")} className="max-h-40 max-w-full rounded-lg border border-line" />;
    case "other":
      return <Said text={part.text} isCode />;
  }
}

function Called({ part }: { part: Extract<Part, { kind: "call" }> }) {
  const { t } = useTranslation("turns");
  return (
    <div className="space-y-2 rounded-xl border border-line px-3 py-2">
      <p className="text-[13px] text-soft">
        {t("calls")} <code className="font-mono break-all text-ink">{part.name}</code>
      </p>
      {part.input !== "" && <Said text={part.input} isCode />}
      {part.results.length > 0 && <Labelled name={t("result")} parts={part.results} />}
    </div>
  );
}

function Labelled({ name, parts }: { name: string; parts: Part[] }) {
  return (
    <div className="space-y-1 border-l-2 border-line pl-3">
      <p className="text-[13px] break-all text-soft">{name}</p>
      {parts.map((part, at) => (
        <PartView key={at} part={part} />
      ))}
    </div>
  );
}

function Folded({ name, text }: { name: string; text: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="text-[13px] text-soft">{name}</summary>
      {isOpen && <Said text={text} />}
    </details>
  );
}

function Said({ text, isCode = false }: { text: string; isCode?: boolean }) {
  const { t } = useTranslation("turns");
  const [isWhole, setWhole] = useState(false);
  const beginning = beginningOf(text);
  const look = isCode ? "font-mono text-[12.5px]" : "";
  return (
    <div>
      <p className={`whitespace-pre-wrap [overflow-wrap:anywhere] ${look}`}>{isWhole ? text : beginning}</p>
      {beginning.length < text.length && (
        <button type="button" className="mt-1 text-[13px] underline" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? t("foldText") : t("wholeText", { size: bytes(new Blob([text]).size) })}
        </button>
      )}
    </div>
  );
}

function beginningOf(text: string): string {
  const short = text.slice(0, LETTERS);
  const end = short.split("\n").slice(0, LINES).join("\n").length;
  return end < text.length ? text.slice(0, end) : text;
}
