/** A key for the clients: shown once, and used by the steps below. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { createKey } from "@/features/keys/api";
import { inputOf, NEW_KEY } from "@/features/keys/draft";
import { Button } from "@/shared/Button";
import { CopyLine } from "@/shared/Copy";
import { TextField } from "@/shared/Field";
import { Failure } from "@/shared/states";

export function KeyStep({ apiKey, onKey, isDone }: { apiKey: string; onKey: (key: string) => void; isDone: boolean }) {
  const { t } = useTranslation("start");
  const mayWrite = useMay("keys:write");
  const queries = useQueryClient();
  const [name, setName] = useState("first");
  const making = useMutation({
    mutationFn: () => createKey(inputOf({ ...NEW_KEY, name })),
    meta: { isTold: true },
    onSuccess: (issued) => {
      onKey(issued.secret);
      for (const key of ["names", "keys", "progress"]) void queries.invalidateQueries({ queryKey: [key] });
    },
  });
  if (making.data !== undefined) return <Made secret={making.data.secret} />;
  return (
    <div className="space-y-3">
      <p className="text-soft">{isDone ? t("key.some") : t("key.none")}</p>
      {mayWrite && (
        <form
          className="flex flex-wrap items-end gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            making.mutate();
          }}
        >
          <div className="w-56">
            <TextField label={t("key.name")} required value={name} onChange={(event) => setName(event.target.value)} />
          </div>
          <Button type="submit" look={isDone ? "plain" : "main"} isBusy={making.isPending}>
            {t("key.make")}
          </Button>
        </form>
      )}
      {making.isError && <Failure error={making.error} />}
      {isDone && (
        <div className="max-w-md">
          <TextField
            label={t("key.paste")}
            isMono
            type="password"
            placeholder="lw_…"
            value={apiKey}
            onChange={(event) => onKey(event.target.value.trim())}
          />
        </div>
      )}
    </div>
  );
}

function Made({ secret }: { secret: string }) {
  const { t } = useTranslation("start");
  return (
    <div className="space-y-2">
      <p>{t("key.made")}</p>
      <CopyLine text={secret} />
    </div>
  );
}
