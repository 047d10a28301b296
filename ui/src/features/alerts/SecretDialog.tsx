import { useTranslation } from "react-i18next";
import { Button } from "@/shared/Button";
import { CopyLine } from "@/shared/Copy";
import { Dialog } from "@/shared/Dialog";

/** The one moment in which a signing secret is shown: it closes on purpose only. */
export function SecretDialog({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  const { t } = useTranslation("alerts");
  return (
    <Dialog title={t("secretTitle", { name })} canClose={false} onClose={onClose}>
      <div className="space-y-4">
        <p>{t("secretText")}</p>
        <CopyLine text={secret} />
        <Button look="main" onClick={onClose}>
          {t("secretDone")}
        </Button>
      </div>
    </Dialog>
  );
}
