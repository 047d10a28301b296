import { useTranslation } from "react-i18next";
import { urlOf } from "@/api/place";
import { Button } from "@/shared/Button";
import { CopyLine } from "@/shared/Copy";
import { Dialog } from "@/shared/Dialog";
import type { Issued } from "./api";

/** The one moment in which an invitation's token is shown: it closes on purpose only. */
export function IssuedDialog({ issued, onClose }: { issued: Issued; onClose: () => void }) {
  const { t } = useTranslation("users");
  const email = issued.invitation.email;
  // Behind the `#`: what stands there is sent to no server, so no log has it.
  const parts = { link: `${urlOf("join")}#${encodeURIComponent(issued.token)}`, token: issued.token };
  return (
    <Dialog title={t("issued.title")} canClose={false} onClose={onClose}>
      <div className="space-y-4">
        <p>{email === "" ? t("issued.anybody") : t("issued.one", { email })}</p>
        {(["link", "token"] as const).map((name) => (
          <div key={name}>
            <p className="mb-1 text-[13px] font-medium">{t(`issued.${name}`)}</p>
            <CopyLine text={parts[name]} name={name} />
          </div>
        ))}
        <Button look="main" onClick={onClose}>
          {t("issued.done")}
        </Button>
      </div>
    </Dialog>
  );
}
