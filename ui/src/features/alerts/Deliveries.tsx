import { useTranslation } from "react-i18next";
import { Badge, type Tone } from "@/shared/Badge";
import { useFormat } from "@/shared/format";
import type { Delivery } from "./api";

export const TONES: Record<Delivery["status"], Tone> = { DELIVERED: "good", PENDING: "warn", FAILED: "bad" };

/** What became of each message, with what came back where one did not arrive. */
export function Deliveries({ deliveries }: { deliveries: readonly Delivery[] }) {
  const { t } = useTranslation("alerts");
  const format = useFormat();
  if (deliveries.length === 0) return <span className="text-soft">{t("nobody")}</span>;
  return (
    <ul className="min-w-44 space-y-1">
      {deliveries.map((each) => (
        <li key={each.id}>
          <Badge tone={TONES[each.status]}>{t(`statuses.${each.status}`)}</Badge>{" "}
          <span className="text-[13px]" title={each.answer}>
            {t(`events.${each.event}`)} · {each.destinationName}
          </span>
          {each.status !== "DELIVERED" && each.answer !== "" && (
            <p className="max-w-sm text-[12.5px] break-words text-soft">
              {each.answer}
              {each.nextAt !== null && ` · ${t("again", { at: format.time(each.nextAt), attempts: each.attempts })}`}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
