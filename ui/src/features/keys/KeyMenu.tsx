import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Confirm } from "@/shared/Dialog";
import { Choice } from "@/shared/Field";
import { Menu, type MenuItem } from "@/shared/Menu";
import { tell } from "@/shared/toasts";
import { deleteKey, type Issued, type Key, revokeKey, rotateKey, setKeyStatus } from "./api";

const OVERLAP = 86_400;
type Question = "rotate" | "revoke" | "delete";

export function KeyMenu({
  apiKey,
  onEdit,
  onIssued,
}: {
  apiKey: Key;
  onEdit: () => void;
  onIssued: (issued: Issued) => void;
}) {
  const { t } = useTranslation(["keys", "app"]);
  const mayWrite = useMay("keys:own");
  const mayDelete = useMay("keys:write");
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question>();
  const [isAtOnce, setAtOnce] = useState(false);
  const changing = useMutation({
    mutationFn: (act: () => Promise<unknown>) => act(),
    onSettled: () => {
      setQuestion(undefined);
      void queries.invalidateQueries({ queryKey: ["keys"] });
      void queries.invalidateQueries({ queryKey: ["names"] });
    },
  });
  if (!mayWrite || apiKey.managedBy === "FILE") return null;
  const set = (key: Key, status: Key["status"], isUndo = false) =>
    changing.mutate(async () => {
      const changed = await setKeyStatus(key, status);
      if (isUndo) return;
      tell(t(`told.${status}`, { name: key.name }), {
        action: { label: t("app:undo"), run: () => set(changed, key.status, true) },
      });
    });
  const acts: Record<Question, () => Promise<unknown>> = {
    rotate: async () => onIssued(await rotateKey(apiKey, isAtOnce ? 0 : OVERLAP)),
    revoke: () => revokeKey(apiKey),
    delete: () => deleteKey(apiKey),
  };
  const isRevoked = apiKey.status === "REVOKED";
  const items: MenuItem[] = isRevoked
    ? mayDelete
      ? [{ label: t("app:delete"), isDanger: true, run: () => setQuestion("delete") }]
      : []
    : [
        { label: t("app:edit"), run: onEdit },
        apiKey.status === "ENABLED"
          ? { label: t("disable"), run: () => set(apiKey, "DISABLED") }
          : { label: t("enable"), run: () => set(apiKey, "ENABLED") },
        { label: t("rotate"), run: () => setQuestion("rotate") },
        { label: t("revoke"), isDanger: true, run: () => setQuestion("revoke") },
      ];
  if (items.length === 0) return null;
  return (
    <>
      <Menu label={`${t("app:actions")}: ${apiKey.name}`} items={items} />
      {question !== undefined && (
        <Confirm
          title={t(`ask.${question}.title`, { name: apiKey.name })}
          action={t(`ask.${question}.act`)}
          isBusy={changing.isPending}
          onClose={() => setQuestion(undefined)}
          onConfirm={() => changing.mutate(acts[question])}
        >
          {t(`ask.${question}.text`)}
          {question === "rotate" && (
            <div className="mt-4">
              <Choice
                label={t("ask.rotate.until")}
                value={isAtOnce ? "once" : "day"}
                options={[
                  { value: "day", label: t("ask.rotate.day") },
                  { value: "once", label: t("ask.rotate.once") },
                ]}
                hint={t(isAtOnce ? "ask.rotate.onceHint" : "ask.rotate.dayHint")}
                onChange={(value) => setAtOnce(value === "once")}
              />
            </div>
          )}
        </Confirm>
      )}
    </>
  );
}
