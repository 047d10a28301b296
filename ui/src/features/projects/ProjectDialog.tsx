import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { isConflict } from "@/api/errors";
import { useMay } from "@/api/me";
import { Button } from "@/shared/Button";
import { Conflict } from "@/shared/Conflict";
import { Confirm, Dialog } from "@/shared/Dialog";
import { useDraft } from "@/shared/draft";
import { CheckField, Choice, TextField } from "@/shared/Field";
import { problemOf } from "@/shared/problems";
import { Failure, SkeletonRows } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { createProject, deleteProject, fetchProject, peopleQuery, type Project, setMember, updateProject } from "./api";

const NEW = { name: "", description: "", status: "ACTIVE" };
const draftOf = ({ name, description, status }: Project) => ({ name, description, status: status as string });

export function ProjectDialog({ project, onClose }: { project?: Project; onClose: () => void }) {
  const { t } = useTranslation(["projects", "app"]);
  const queries = useQueryClient();
  const mayWrite = useMay("projects:write");
  const draft = useDraft(`project-${project?.id ?? "new"}`, project === undefined ? NEW : draftOf(project));
  const [seen] = useState(project?.revision ?? 0);
  const [theirs, setTheirs] = useState<Project>();
  const [asks, setAsks] = useState(false);
  const renew = () => {
    void queries.invalidateQueries({ queryKey: ["projects"] });
    void queries.invalidateQueries({ queryKey: ["names"] });
  };
  const saving = useMutation({
    mutationFn: async (revision: number) => {
      const input = { ...draft.value, status: draft.value.status as Project["status"] };
      await (project === undefined ? createProject(input) : updateProject(project.id, revision, input));
    },
    meta: { isTold: true },
    onSuccess: () => {
      draft.discard();
      tell(t("app:saved"));
      renew();
      onClose();
    },
    onError: async (error) => {
      if (isConflict(error) && project !== undefined) setTheirs(await fetchProject(project.id));
    },
  });
  const deleting = useMutation({
    mutationFn: deleteProject,
    onSuccess: () => {
      renew();
      onClose();
    },
    onSettled: () => setAsks(false),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate(seen);
  };
  const told = theirs === undefined ? undefined : draftOf(theirs);
  return (
    <Dialog title={project?.name ?? t("create")} place="side" onClose={onClose}>
      <form onSubmit={submit} className="space-y-5">
        <fieldset disabled={!mayWrite} className="space-y-5">
          <TextField
            label={t("name")}
            required
            value={draft.value.name}
            problem={problemOf(saving.error, "name")}
            onChange={(event) => draft.change({ name: event.target.value })}
          />
          <TextField
            label={t("description")}
            value={draft.value.description}
            problem={problemOf(saving.error, "description")}
            onChange={(event) => draft.change({ description: event.target.value })}
          />
          {project !== undefined && (
            <Choice
              label={t("status")}
              value={draft.value.status}
              options={["ACTIVE", "ARCHIVED"].map((value) => ({ value, label: t(`statuses.${value}`) }))}
              hint={t("archivedHint")}
              onChange={(status) => draft.change({ status })}
            />
          )}
        </fieldset>
        {saving.isError && !isConflict(saving.error) && <Failure error={saving.error} />}
        {mayWrite && (
          <div className="flex flex-wrap gap-2">
            <Button type="submit" look="main" isBusy={saving.isPending}>
              {project === undefined ? t("create") : t("app:save")}
            </Button>
            {project !== undefined && (
              <Button look="danger" onClick={() => setAsks(true)}>
                {t("app:delete")}
              </Button>
            )}
          </div>
        )}
      </form>
      {project !== undefined && <Members project={project} mayWrite={mayWrite} />}
      {asks && project !== undefined && (
        <Confirm
          title={t("deleteTitle", { name: project.name })}
          action={t("app:delete")}
          isBusy={deleting.isPending}
          onClose={() => setAsks(false)}
          onConfirm={() => deleting.mutate(project)}
        >
          {t("deleteText")}
        </Confirm>
      )}
      {theirs !== undefined && told !== undefined && (
        <Conflict
          differences={(["name", "description", "status"] as const)
            .filter((field) => told[field] !== draft.value[field])
            .map((field) => ({ field: t(field), theirs: told[field], yours: draft.value[field] }))}
          isBusy={saving.isPending}
          onKeep={() => saving.mutate(theirs.revision)}
          onTake={() => {
            draft.discard(told);
            renew();
            onClose();
          }}
          onBack={() => setTheirs(undefined)}
        />
      )}
    </Dialog>
  );
}

function Members({ project, mayWrite }: { project: Project; mayWrite: boolean }) {
  const { t } = useTranslation("projects");
  const queries = useQueryClient();
  const maySeePeople = useMay("users:read");
  const people = useQuery({ ...peopleQuery, enabled: maySeePeople });
  const changing = useMutation({
    mutationFn: ({ user, isMember }: { user: string; isMember: boolean }) => setMember(project.id, user, isMember),
    onSettled: () => queries.invalidateQueries({ queryKey: ["projects"] }),
  });
  if (!maySeePeople) return null;
  return (
    <fieldset disabled={!mayWrite} className="mt-8 space-y-2">
      <legend className="font-semibold">{t("members")}</legend>
      <p className="text-[13px] text-soft">{t("membersHint")}</p>
      {people.data === undefined && <SkeletonRows rows={2} />}
      {people.data?.users.nodes.map((user) => (
        <CheckField
          key={user.id}
          label={user.name ? `${user.name} (${user.email})` : user.email}
          checked={
            changing.isPending && changing.variables.user === user.id
              ? changing.variables.isMember
              : project.memberIDs.includes(user.id)
          }
          onChange={(event) => changing.mutate({ user: user.id, isMember: event.target.checked })}
        />
      ))}
    </fieldset>
  );
}
