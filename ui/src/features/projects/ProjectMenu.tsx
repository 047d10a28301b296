import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Archive, ArchiveRestore, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Button } from "@/shared/Button";
import { Confirm, Dialog } from "@/shared/Dialog";
import { Menu, type MenuItem } from "@/shared/Menu";
import { tell } from "@/shared/toasts";
import { DEFAULT_PROJECT, deleteProject, type Project, type Status, updateProject } from "./api";

const SIZE = 15;

export function ProjectMenu({ project, keys, onEdit }: { project: Project; keys: number | undefined; onEdit: () => void }) {
  const { t } = useTranslation(["projects", "app"]);
  const mayWrite = useMay("projects:write");
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const renew = () => {
    void queries.invalidateQueries({ queryKey: ["projects"] });
    void queries.invalidateQueries({ queryKey: ["names"] });
  };
  const setting = useMutation({
    mutationFn: (change: { project: Project; status: Status; isUndo?: boolean }) =>
      updateProject(change.project.id, change.project.revision, { status: change.status }),
    onSuccess: (changed, { project: before, isUndo }) => {
      if (isUndo) return;
      tell(t(`told.${changed.status}`, { name: changed.name }), {
        action: { label: t("app:undo"), run: () => setting.mutate({ project: changed, status: before.status, isUndo: true }) },
      });
    },
    onSettled: renew,
  });
  const deleting = useMutation({
    mutationFn: () => deleteProject(project),
    onSuccess: () => tell(t("app:deleted", { name: project.name })),
    onSettled: () => {
      setAsks(false);
      renew();
    },
  });
  if (!mayWrite) return null;
  const isActive = project.status === "ACTIVE";
  const archive = () => setting.mutate({ project, status: isActive ? "ARCHIVED" : "ACTIVE" });
  const edit: MenuItem = { label: t("app:edit"), icon: <Pencil size={SIZE} aria-hidden />, run: onEdit };
  const others: MenuItem[] = [
    isActive
      ? { label: t("archive"), icon: <Archive size={SIZE} aria-hidden />, run: archive }
      : { label: t("restore"), icon: <ArchiveRestore size={SIZE} aria-hidden />, run: archive },
    { label: t("app:delete"), icon: <Trash2 size={SIZE} aria-hidden />, isDanger: true, run: () => setAsks(true) },
  ];
  const close = () => setAsks(false);
  return (
    <>
      <Menu label={`${t("app:actions")}: ${project.name}`} items={project.id === DEFAULT_PROJECT ? [edit] : [edit, ...others]} />
      {asks && keys !== undefined && keys > 0 && (
        <Dialog title={t("hasKeysTitle", { name: project.name })} onClose={close}>
          <p className="text-soft">{t("hasKeysText", { keys })}</p>
          <div className="mt-5 flex flex-wrap justify-end gap-2">
            <Button look="quiet" onClick={close}>
              {t("app:cancel")}
            </Button>
            {isActive && (
              <Button
                look="main"
                onClick={() => {
                  close();
                  archive();
                }}
              >
                {t("archiveInstead")}
              </Button>
            )}
          </div>
        </Dialog>
      )}
      {asks && !(keys !== undefined && keys > 0) && (
        <Confirm
          title={t("app:deleteTitle", { name: project.name })}
          action={t("app:delete")}
          isBusy={deleting.isPending}
          onClose={close}
          onConfirm={() => deleting.mutate()}
        >
          {t("deleteText")}
        </Confirm>
      )}
    </>
  );
}
