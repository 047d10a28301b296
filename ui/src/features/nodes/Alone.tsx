/** What one process lacks, and how it becomes several. */
import { useTranslation } from "react-i18next";
import { CopyButton, Snippet } from "@/shared/Copy";
import { Mono } from "@/shared/Badge";
import { Card } from "@/shared/Page";

const SETTINGS = '[fleet]\nurl = "valkey://host:6379"\nnode = "lw-0"\n';
const GUIDE = "docs/how-to/scale-out.md";

export function Alone() {
  const { t } = useTranslation("nodes");
  return (
    <Card title={t("alone.title")}>
      <div className="space-y-3">
        <p>{t("alone.text")}</p>
        <Snippet text={SETTINGS} label={t("alone.settings")} />
        <p className="flex flex-wrap items-center gap-2 text-soft">
          {t("alone.guide")} <Mono>{GUIDE}</Mono>
          <CopyButton text={GUIDE} label={t("alone.copyPath")} />
        </p>
      </div>
    </Card>
  );
}
