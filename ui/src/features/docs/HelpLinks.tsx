/** The way from each page to what is written about it, and to the words it uses. */
import { Link, useLocation } from "@tanstack/react-router";
import { BookA, CircleHelp } from "lucide-react";
import { useTranslation } from "react-i18next";
import { looksOf } from "@/shared/Button";
import { writtenOf } from "./written";

export function HelpLinks({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation("docs");
  const path = useLocation({ select: (at) => at.pathname });
  const look = `${looksOf("quiet", true)} w-full !justify-start`;
  return (
    <>
      <Link to="/help/$" params={{ _splat: writtenOf(path) }} className={look} onClick={onGo}>
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
