import { PlugZap, Snail } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useReach } from "@/api/reach";

/** Says when the gateway is slow or away, and that nothing is lost by it. */
export function ReachBar() {
  const reach = useReach();
  const { t } = useTranslation();
  return (
    <div role="status" aria-live="polite" className="sticky top-0 z-10">
      {reach !== "fine" && (
        <p
          className={`flex items-center gap-2 border-b border-line px-5 py-2 ${
            reach === "gone" ? "bg-bad-wash text-bad" : "bg-warn-wash text-warn"
          }`}
        >
          {reach === "gone" ? <PlugZap size={16} aria-hidden /> : <Snail size={16} aria-hidden />}
          {t(`reach.${reach}`)}
        </p>
      )}
    </div>
  );
}
