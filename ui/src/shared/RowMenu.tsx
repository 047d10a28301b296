/** What can be done with a thing that is listed: changed, and deleted once that is confirmed. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Confirm } from "./Dialog";
import { Menu, type MenuItem } from "./Menu";
import { tell } from "./toasts";

export const MENU_ICON = 15;

interface Props {
  name: string;
  onEdit: () => void;
  /** What stands between the two. */
  others?: readonly MenuItem[];
  remove: () => Promise<unknown>;
  /** What becomes of it, before that is confirmed. */
  text: string;
  title?: string;
  /** The first part of the keys of queries that a change makes old. */
  touches: string;
}

export function RowMenu({ name, onEdit, others = [], remove, text, title, touches }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const deleting = useMutation({
    mutationFn: remove,
    onSuccess: () => tell(t("deleted", { name })),
    onSettled: () => {
      setAsks(false);
      void queries.invalidateQueries({ queryKey: [touches] });
    },
  });
  const items = [
    { label: t("edit"), icon: <Pencil size={MENU_ICON} aria-hidden />, run: onEdit },
    ...others,
    { label: t("delete"), icon: <Trash2 size={MENU_ICON} aria-hidden />, isDanger: true, run: () => setAsks(true) },
  ];
  return (
    <>
      <Menu label={`${t("actions")}: ${name}`} items={items} />
      {asks && (
        <Confirm
          title={title ?? t("deleteTitle", { name })}
          action={t("delete")}
          isBusy={deleting.isPending}
          onClose={() => setAsks(false)}
          onConfirm={() => deleting.mutate()}
        >
          {text}
        </Confirm>
      )}
    </>
  );
}
