import { useMutation, useQueryClient } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Mono } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { CopyButton } from "@/shared/Copy";
import { Card } from "@/shared/Page";
import { Failure } from "@/shared/states";
import { reloadFile } from "./api";

/** The configuration file: where it is, and reading it again, with what came of it. */
export function FileCard({ file }: { file: string }) {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const mayWrite = useMay("settings:write");
  const reading = useMutation({
    mutationFn: reloadFile,
    meta: { isTold: true },
    onSuccess: () => void queries.invalidateQueries(),
  });
  return (
    <Card title={t("file.title")}>
      <div className="space-y-4">
        {file === "" ? (
          <p className="text-soft">{t("file.none")}</p>
        ) : (
          <>
            <div className="flex flex-wrap items-center gap-2">
              <Mono className="min-w-0 break-all">{file}</Mono>
              <CopyButton text={file} />
            </div>
            <p className="text-soft">{t("file.text")}</p>
          </>
        )}
        {file !== "" && mayWrite && (
          <Button icon={<RefreshCw size={14} aria-hidden />} isBusy={reading.isPending} onClick={() => reading.mutate()}>
            {t("file.read")}
          </Button>
        )}
        <div aria-live="polite">
          {reading.data !== undefined && (
            <p className="rounded-xl bg-accent-wash px-4 py-3">
              <span aria-hidden className="text-good">
                ✓{" "}
              </span>
              {t("file.done", { channels: reading.data.channels, keys: reading.data.apiKeys })}
            </p>
          )}
        </div>
        {reading.isError && (
          <div className="space-y-2 whitespace-pre-line">
            <Failure error={reading.error} />
            <p className="text-[13px] text-soft">{t("file.kept")}</p>
          </div>
        )}
      </div>
    </Card>
  );
}
