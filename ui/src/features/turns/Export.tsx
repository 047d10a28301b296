import { useMutation } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/shared/Button";
import { useFormat } from "@/shared/format";
import { Menu } from "@/shared/Menu";
import { tell } from "@/shared/toasts";
import { fetchTurns, type TurnFilter } from "./api";
import { exported, type Kind, type Progress, save } from "./exported";

const NOTHING: Progress = { rows: 0, until: null };
const isStop = (error: unknown) => error instanceof DOMException && error.name === "AbortError";

/** Whether there is a file, and not a stop before its end. */
async function run(kind: Kind, filter: TurnFilter, onProgress: (progress: Progress) => void, signal: AbortSignal) {
  const now = new Date().toISOString().slice(0, 19).replaceAll(":", "");
  try {
    save(await exported(kind, (after, stop) => fetchTurns(filter, after, stop), onProgress, signal), `turns-${now}.${kind}`);
    return true;
  } catch (error) {
    if (isStop(error)) return false;
    throw error;
  }
}

/** Saves what the filters match; says how far it is, and can be stopped. */
export function Export({ filter }: { filter: TurnFilter }) {
  const { t } = useTranslation(["turns", "app"]);
  const format = useFormat();
  const [progress, setProgress] = useState(NOTHING);
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const exporting = useMutation({
    mutationFn: (kind: Kind) => {
      setProgress(NOTHING);
      abort.current = new AbortController();
      return run(kind, filter, setProgress, abort.current.signal);
    },
    onSuccess: (isSaved) => tell(isSaved ? t("exported") : t("notExported")),
  });
  if (exporting.isPending) {
    return (
      <span className="flex flex-wrap items-center gap-3">
        <span role="status">
          {t("exporting", { rows: format.whole(progress.rows) })}
          {progress.until !== null && ` ${t("exportedBackTo", { time: format.dateTime(progress.until) })}`}
        </span>
        <Button isSmall onClick={() => abort.current?.abort()}>
          {t("app:cancel")}
        </Button>
      </span>
    );
  }
  return (
    <Menu
      label={t("export")}
      items={[
        { label: t("asCSV"), run: () => exporting.mutate("csv") },
        { label: t("asJSON"), run: () => exporting.mutate("json") },
      ]}
    >
      <Download size={15} aria-hidden />
      {t("export")}
    </Menu>
  );
}
