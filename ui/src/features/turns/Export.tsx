import { useMutation } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/shared/Button";
import { useFormat } from "@/shared/format";
import { Menu } from "@/shared/Menu";
import { tell } from "@/shared/toasts";
import type { TurnFilter } from "./api";
import { exported, type Kind, save } from "./exported";

/** Saves what the filters match; says how far it is, and can be stopped. */
export function Export({ filter }: { filter: TurnFilter }) {
  const { t } = useTranslation(["turns", "app"]);
  const format = useFormat();
  const [rows, setRows] = useState(0);
  const abort = useRef<AbortController>(undefined);
  const exporting = useMutation({
    mutationFn: async (kind: Kind) => {
      setRows(0);
      abort.current = new AbortController();
      const { signal } = abort.current;
      const blob = await exported(kind, filter, setRows, signal).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (blob !== undefined) save(blob, `turns-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${kind}`);
      return blob !== undefined;
    },
    onSuccess: (isSaved) => {
      if (isSaved) tell(t("exported"));
    },
  });
  if (exporting.isPending) {
    return (
      <span className="flex items-center gap-3" role="status">
        {t("exporting", { rows: format.whole(rows) })}
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
        { label: "CSV", run: () => exporting.mutate("csv") },
        { label: "JSON", run: () => exporting.mutate("json") },
      ]}
    >
      <Download size={15} aria-hidden />
      {t("export")}
    </Menu>
  );
}
