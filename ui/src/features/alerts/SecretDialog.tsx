import { useTranslation } from "react-i18next";
import { Button } from "@/shared/Button";
import { CopyButton } from "@/shared/Copy";
import { Dialog } from "@/shared/Dialog";

/** The one moment in which a signing secret is shown: it closes on purpose only. */
export function SecretDialog({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  const { t } = useTranslation("alerts");
  return (
    <Dialog title={t("secretTitle", { name })} canClose={false} onClose={onClose}>
      <div className="space-y-4">
        <p>{t("secretText")}</p>
        <div className="flex flex-wrap items-center gap-2 rounded-xl border border-line bg-sunken p-3">
          <code data-testid="secret" className="min-w-0 flex-1 font-mono text-[13px] break-all">
            {secret}
          </code>
          <CopyButton text={secret} />
        </div>
        <Button look="main" onClick={onClose}>
          {t("secretDone")}
        </Button>
      </div>
    </Dialog>
  );
}
