/** A kept conversation, scrolled to what is new in it. */
import { ArrowDown } from "lucide-react";
import { type RefObject, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { Notice } from "@/shared/Notice";
import type { Conversation, Entry } from "./conversation";
import { PartView } from "./PartView";

export function ConversationView({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation("turns");
  const { entries, count, news, isWhole } = conversation;
  const list = useRef<HTMLOListElement>(null);
  const first = useRef<HTMLLIElement>(null);
  const firstNew = entries.findIndex((entry) => entry.isNew);
  const toNews = () => {
    const [all, one] = [list.current, first.current];
    if (all === null || one === null) return;
    all.scrollTop = one.offsetTop;
    all.scrollIntoView({ block: "nearest" });
    // What came into sight has its real height by now.
    requestAnimationFrame(() => (all.scrollTop = one.offsetTop));
  };
  useEffect(toNews, [conversation]);
  return (
    <div className="space-y-2">
      {!isWhole && <Notice tone="warn" title={t("cutBody")}>{t("cutBodyText")}</Notice>}
      <div className="flex flex-wrap items-center gap-2 text-[13px] text-soft">
        <span>{news === null ? t("itemCount", { count }) : t("newItems", { count, news })}</span>
        {firstNew > 0 && (
          <Button isSmall icon={<ArrowDown size={14} aria-hidden />} onClick={toNews}>
            {t("toNews")}
          </Button>
        )}
      </div>
      <ol
        ref={list}
        tabIndex={0}
        aria-label={t("conversation")}
        className="relative max-h-[70dvh] overflow-y-auto rounded-xl border border-line"
      >
        {entries.map((entry, at) => (
          <EntryView key={at} entry={entry} place={at === firstNew ? first : undefined} />
        ))}
      </ol>
    </div>
  );
}

/** Out of sight it is neither laid out nor painted: a thousand of them cost what a screen of them does. */
function EntryView({ entry, place }: { entry: Entry; place: RefObject<HTMLLIElement | null> | undefined }) {
  const { t } = useTranslation("turns");
  const role = t(`roles.${entry.role}`, { defaultValue: entry.role, interpolation: { escapeValue: false } });
  return (
    <li
      ref={place}
      data-testid={entry.isNew ? "new-item" : undefined}
      className={`space-y-2 border-b border-line px-4 py-3 [contain-intrinsic-size:auto_6rem] [content-visibility:auto] last:border-b-0
        ${entry.isNew ? "border-l-4 border-l-accent bg-accent-wash" : entry.place === "answer" ? "bg-sunken" : ""}`}
    >
      <p className="flex flex-wrap items-center gap-2 text-[13px]">
        <span className="font-semibold">{role}</span>
        {entry.number > 0 && <span className="text-soft">#{entry.number}</span>}
        {entry.place === "answer" && <Badge shape={false}>{t("response")}</Badge>}
        {entry.isNew && <Badge tone="good">{t("newItem")}</Badge>}
      </p>
      {entry.parts.map((part, at) => (
        <PartView key={at} part={part} />
      ))}
    </li>
  );
}
