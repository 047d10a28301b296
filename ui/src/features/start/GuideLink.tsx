/** The way back to the guide, wherever one of its steps is taken, until it is over. */
import { Link } from "@tanstack/react-router";
import { Undo2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { looksOf } from "@/shared/Button";
import { useIsGuideWanted } from "./progress";

export function GuideLink({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation("start");
  if (!useIsGuideWanted()) return null;
  return (
    <Link to="/start" className={looksOf("plain")} onClick={onGo}>
      <Undo2 size={15} aria-hidden />
      {t("back")}
    </Link>
  );
}
