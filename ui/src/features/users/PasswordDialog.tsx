import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/shared/Button";
import { Dialog } from "@/shared/Dialog";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { setUserPassword, type User } from "./api";
import { PasswordField } from "./PasswordField";

export function PasswordDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation("users");
  const queries = useQueryClient();
  const [password, setPassword] = useState("");
  const setting = useMutation({
    mutationFn: () => setUserPassword(user.id, password),
    meta: { isTold: true },
    onSuccess: () => {
      tell(t("told.password", { name: user.email }));
      void queries.invalidateQueries({ queryKey: ["users"] });
      onClose();
    },
  });
  return (
    <Dialog title={t("passwordTitle", { name: user.email })} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          setting.mutate();
        }}
      >
        <p className="text-soft">{t("passwordText")}</p>
        <PasswordField value={password} problem={problemOf(setting.error, "password")} onChange={setPassword} />
        {setting.error !== null && <Failure error={setting.error} />}
        <Button type="submit" look="main" isBusy={setting.isPending}>
          {t("setPassword")}
        </Button>
      </form>
    </Dialog>
  );
}
