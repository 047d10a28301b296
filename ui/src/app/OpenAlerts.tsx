import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { openAlertsQuery } from "@/api/openAlerts";

/** How many alerts last, beside the way to them; nothing where none does. */
export function OpenAlerts() {
  const { t } = useTranslation("alerts");
  const number = useQuery(openAlertsQuery).data ?? 0;
  if (number === 0) return null;
  return (
    <>
      <span aria-hidden className="ml-auto rounded-full bg-bad-wash px-1.5 text-xs font-medium text-bad">
        {number}
      </span>
      <span className="sr-only">{t("badge", { number })}</span>
    </>
  );
}
