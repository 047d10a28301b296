/** What is wrong with the fleet, or unusual, and what mends it. */
import { useTranslation } from "react-i18next";
import { Notice } from "@/shared/Notice";
import type { Nodes } from "@/api/nodes";
import { type PresentRow, takenNames, versionsOf } from "./presence";

export function Notices({ fleet, rows }: { fleet: Nodes; rows: readonly PresentRow[] }) {
  const { t } = useTranslation("nodes");
  const gone = rows.filter((row) => row.presence === "gone").map((row) => row.name);
  const taken = takenNames(fleet.nodes);
  const versions = versionsOf(rows);
  return (
    <div className="space-y-3 empty:hidden">
      {fleet.isCutOff && (
        <Notice tone="bad" title={t("away.title")}>
          {t("away.text")}
        </Notice>
      )}
      {gone.length > 0 && (
        <Notice tone="bad" title={t("gone.title", { count: gone.length, names: gone.join(", ") })}>
          {t("gone.text")}
        </Notice>
      )}
      {taken.length > 0 && (
        <Notice tone="bad" title={t("duplicate.title", { count: taken.length, names: taken.join(", ") })}>
          {t("duplicate.text")}
        </Notice>
      )}
      {versions.length > 1 && (
        <Notice tone="warn" title={t("versions.title", { count: versions.length })}>
          {versions.map(([version, names]) => `${version}: ${names.join(", ")}`).join(" · ")}. {t("versions.text")}
        </Notice>
      )}
    </div>
  );
}
