import { useTranslation } from "react-i18next";
import { dataPlaneURL } from "@/api/place";
import { GuideLink } from "@/features/start/GuideLink";
import { Button } from "@/shared/Button";
import { CopyLine } from "@/shared/Copy";
import { Dialog } from "@/shared/Dialog";
import type { Issued } from "./api";

/** The one moment in which a key is shown: it closes on purpose only. */
export function IssuedDialog({ issued, onClose }: { issued: Issued; onClose: () => void }) {
  const { t } = useTranslation("keys");
  return (
    <Dialog title={t("issued.title", { name: issued.apiKey.name })} canClose={false} onClose={onClose}>
      <div className="space-y-4">
        <p>{t("issued.text")}</p>
        <CopyLine text={issued.secret} />
        <p className="text-[13px] text-soft">
          {t("issued.base")} <code className="font-mono">{dataPlaneURL()}</code>
        </p>
        <div className="flex flex-wrap gap-2">
          <Button look="main" onClick={onClose}>
            {t("issued.done")}
          </Button>
          <GuideLink onGo={onClose} />
        </div>
      </div>
    </Dialog>
  );
}
