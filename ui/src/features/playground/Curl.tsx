import { useTranslation } from "react-i18next";
import { urlOf } from "@/api/place";
import { Snippet } from "@/shared/Copy";
import type { Ways } from "./chat";
import { curlOf } from "./command";
import { DIALECTS } from "./dialects/all";

export function Curl({ settings }: { settings: Omit<Ways, "key"> & { question: string } }) {
  const { t } = useTranslation("playground");
  return (
    <details>
      <summary className="mb-2 text-[13px] font-medium">{t("asCurl")}</summary>
      <Snippet label={t("asCurl")} text={curlOf(settings, urlOf(DIALECTS[settings.api].path(settings.model)))} />
    </details>
  );
}
