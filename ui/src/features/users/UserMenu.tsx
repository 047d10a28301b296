import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Button } from "@/shared/Button";
import { Confirm, Dialog } from "@/shared/Dialog";
import { TextField } from "@/shared/Field";
import { Menu, type MenuItem } from "@/shared/Menu";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { deleteUser, ROLES, setPassword, updateUser, type User } from "./api";

export function UserMenu({ user }: { user: User }) {
  const { t } = useTranslation(["users", "app"]);
  const queries = useQueryClient();
  const mayChangeOwners = useMay("owners:write");
  const [question, setQuestion] = useState<"delete" | "password">();
  const changing = useMutation({
    mutationFn: (act: () => Promise<unknown>) => act(),
    onSettled: () => {
      setQuestion(undefined);
      void queries.invalidateQueries({ queryKey: ["users"] });
    },
  });
  if (user.role === "OWNER" && !mayChangeOwners) return null;
  const setStatus = (held: Pick<User, "id" | "revision">, status: User["status"], isUndo = false) =>
    changing.mutate(async () => {
      const changed = await updateUser(held, { status });
      if (isUndo) return;
      tell(t(`told.${status}`, { email: user.email }), {
        action: { label: t("app:undo"), run: () => setStatus(changed, user.status, true) },
      });
    });
  const roles: MenuItem[] = ROLES.filter((role) => role !== user.role && (role !== "OWNER" || mayChangeOwners)).map(
    (role) => ({
      label: t("makeRole", { role: t(`app:roles.${role}`) }),
      run: () => changing.mutate(() => updateUser(user, { role })),
    }),
  );
  return (
    <>
      <Menu
        label={`${t("app:actions")}: ${user.email}`}
        items={[
          ...roles,
          user.status === "ACTIVE"
            ? { label: t("disable"), run: () => setStatus(user, "DISABLED") }
            : { label: t("enable"), run: () => setStatus(user, "ACTIVE") },
          { label: t("setPassword"), run: () => setQuestion("password") },
          { label: t("app:delete"), isDanger: true, run: () => setQuestion("delete") },
        ]}
      />
      {question === "delete" && (
        <Confirm
          title={t("deleteTitle", { email: user.email })}
          action={t("app:delete")}
          isBusy={changing.isPending}
          onClose={() => setQuestion(undefined)}
          onConfirm={() => changing.mutate(() => deleteUser(user))}
        >
          {t("deleteText")}
        </Confirm>
      )}
      {question === "password" && <PasswordDialog user={user} onClose={() => setQuestion(undefined)} />}
    </>
  );
}

function PasswordDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation(["users", "app"]);
  const [password, setText] = useState("");
  const setting = useMutation({
    mutationFn: () => setPassword(user.id, password),
    meta: { isTold: true },
    onSuccess: () => {
      tell(t("passwordSet", { email: user.email }));
      onClose();
    },
  });
  return (
    <Dialog title={t("setPassword")} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          setting.mutate();
        }}
      >
        <TextField
          label={t("newPassword", { email: user.email })}
          hint={t("passwordHint")}
          type="password"
          autoComplete="new-password"
          required
          minLength={10}
          value={password}
          problem={problemOf(setting.error, "password")}
          onChange={(event) => setText(event.target.value)}
        />
        {setting.isError && <Failure error={setting.error} />}
        <Button type="submit" look="main" isBusy={setting.isPending}>
          {t("setPassword")}
        </Button>
      </form>
    </Dialog>
  );
}
