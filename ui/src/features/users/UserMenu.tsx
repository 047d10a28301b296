import { useMutation, useQueryClient } from "@tanstack/react-query";
import { KeySquare, Pencil, Trash2, UserCheck, UserX } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMe } from "@/api/me";
import { Confirm } from "@/shared/Dialog";
import { Menu, type MenuItem } from "@/shared/Menu";
import { tell } from "@/shared/toasts";
import { deleteUser, updateUser, type User } from "./api";
import { mayChange, type Status } from "./draft";
import { PasswordDialog } from "./PasswordDialog";

const SIZE = 15;

/** What one may do with somebody; nobody deletes or disables themselves by a slip of the hand. */
export function UserMenu({ user, onEdit }: { user: User; onEdit: () => void }) {
  const { t } = useTranslation(["users", "app"]);
  const me = useMe();
  const queries = useQueryClient();
  const [asks, setAsks] = useState<"delete" | "password">();
  const renew = () => void queries.invalidateQueries({ queryKey: ["users"] });
  const setting = useMutation({
    mutationFn: (change: { user: User; status: Status; isUndo?: boolean }) =>
      updateUser(change.user.id, change.user.revision, { status: change.status }),
    onSuccess: (changed, { user: before, isUndo }) => {
      if (isUndo) return;
      tell(t(`told.${changed.status}`, { name: changed.email }), {
        action: {
          label: t("app:undo"),
          run: () => setting.mutate({ user: changed, status: before.status, isUndo: true }),
        },
      });
    },
    onSettled: renew,
  });
  const deleting = useMutation({
    mutationFn: () => deleteUser(user),
    onSuccess: () => tell(t("app:deleted", { name: user.email })),
    onSettled: () => {
      setAsks(undefined);
      renew();
    },
  });
  if (!mayChange(user, me.permissions)) return null;
  const status: MenuItem =
    user.status === "ACTIVE"
      ? { label: t("disable"), icon: <UserX size={SIZE} aria-hidden />, run: () => setting.mutate({ user, status: "DISABLED" }) }
      : { label: t("enable"), icon: <UserCheck size={SIZE} aria-hidden />, run: () => setting.mutate({ user, status: "ACTIVE" }) };
  const others: MenuItem[] = [
    { label: t("setPassword"), icon: <KeySquare size={SIZE} aria-hidden />, run: () => setAsks("password") },
    status,
    { label: t("app:delete"), icon: <Trash2 size={SIZE} aria-hidden />, isDanger: true, run: () => setAsks("delete") },
  ];
  const edit: MenuItem = { label: t("app:edit"), icon: <Pencil size={SIZE} aria-hidden />, run: onEdit };
  return (
    <>
      <Menu label={`${t("app:actions")}: ${user.email}`} items={user.id === me.user.id ? [edit] : [edit, ...others]} />
      {asks === "password" && <PasswordDialog user={user} onClose={() => setAsks(undefined)} />}
      {asks === "delete" && (
        <Confirm
          title={t("app:deleteTitle", { name: user.email })}
          action={t("app:delete")}
          isBusy={deleting.isPending}
          onClose={() => setAsks(undefined)}
          onConfirm={() => deleting.mutate()}
        >
          <ul className="list-disc space-y-1 pl-5">
            {(["signIns", "projects", "keys", "audit"] as const).map((each) => (
              <li key={each}>{t(`deleteText.${each}`)}</li>
            ))}
          </ul>
        </Confirm>
      )}
    </>
  );
}
