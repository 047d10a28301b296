/** What one process lacks, and how it becomes several. */
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Snippet } from "@/shared/Copy";
import { Card } from "@/shared/Page";

const SETTINGS = '[fleet]\nurl = "valkey://host:6379"\nnode = "lw-0"\n';
const GUIDE = "how-to/scale-out.md";

export function Alone() {
  const { t } = useTranslation("nodes");
  return (
    <Card title={t("alone.title")}>
      <div className="space-y-3">
        <p>{t("alone.text")}</p>
        <Snippet text={SETTINGS} label={t("alone.settings")} />
        <p className="text-soft">
          {t("alone.guide")}{" "}
          <Link to="/help/$" params={{ _splat: GUIDE }} className="underline">
            docs/{GUIDE}
          </Link>
        </p>
      </div>
    </Card>
  );
}
