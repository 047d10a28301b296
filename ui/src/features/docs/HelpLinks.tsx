/** The way from each page to what is written about it, and to the words it uses. */
import { Link, useLocation } from "@tanstack/react-router";
import { BookA, CircleHelp } from "lucide-react";
import { useTranslation } from "react-i18next";
import { looksOf } from "@/shared/Button";

/** By the first part of the address; whatever else is there is in the page on the web interface. */
const WRITTEN: Record<string, string> = {
  sessions: "explanation/connection-lifecycle.md",
  turns: "reference/turn-log.md",
  channels: "how-to/real-channel.md",
  keys: "how-to/manage.md",
  projects: "how-to/manage.md",
  users: "how-to/manage.md",
  audit: "how-to/manage.md",
  nodes: "how-to/scale-out.md",
  settings: "reference/configuration.md",
};

export function HelpLinks({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation("docs");
  const [, place = ""] = useLocation({ select: (at) => at.pathname }).split("/");
  const look = `${looksOf("quiet", true)} w-full !justify-start`;
  return (
    <>
      <Link to="/help/$" params={{ _splat: WRITTEN[place] ?? "how-to/web-interface.md" }} className={look} onClick={onGo}>
        <CircleHelp size={15} aria-hidden />
        {t("ofPage")}
      </Link>
      <Link to="/help/$" params={{ _splat: "reference/glossary.md" }} className={look} onClick={onGo}>
        <BookA size={15} aria-hidden />
        {t("glossary")}
      </Link>
    </>
  );
}
