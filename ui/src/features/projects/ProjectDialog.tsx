import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { isConflict } from "@/api/errors";
import { Button } from "@/shared/Button";
import { Conflict } from "@/shared/Conflict";
import { Dialog } from "@/shared/Dialog";
import { useDraft } from "@/shared/draft";
import { TextField } from "@/shared/Field";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { createProject, fetchProject, type Project, updateProject } from "./api";
import { differences, draftOf, NEW_PROJECT } from "./draft";
import { Members } from "./Members";

/** Makes a project, or changes one and who belongs to it. */
export function ProjectDialog({
  project,
  onClose,
  onCreated,
}: {
  project?: Project;
  onClose: () => void;
  onCreated?: (made: Project) => void;
}) {
  const { t } = useTranslation(["projects", "app"]);
  const queries = useQueryClient();
  const id = useId();
  const initial = project === undefined ? NEW_PROJECT : draftOf(project);
  const draft = useDraft(`project-${project?.id ?? "new"}`, initial);
  const { value, change } = draft;
  const [seen, setSeen] = useState(project?.revision ?? 0);
  const [theirs, setTheirs] = useState<Project>();
  const saving = useMutation({
    mutationFn: (revision: number) => {
      const input = { name: value.name.trim(), description: value.description.trim() };
      return project === undefined ? createProject(input) : updateProject(project.id, revision, input);
    },
    meta: { isTold: true },
    onSuccess: (made) => {
      draft.discard(project === undefined ? NEW_PROJECT : draftOf(made));
      setSeen(made.revision);
      setTheirs(undefined);
      void queries.invalidateQueries({ queryKey: ["projects"] });
      void queries.invalidateQueries({ queryKey: ["names"] });
      tell(project === undefined ? t("told.created", { name: made.name }) : t("app:saved"));
      onCreated?.(made);
    },
    onError: async (error) => {
      if (isConflict(error) && project !== undefined) setTheirs(await fetchProject(project.id));
    },
  });
  const problem = (field: string) => problemOf(saving.error, field);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate(seen);
  };
  return (
    <Dialog title={project?.name ?? t("create")} place="side" onClose={onClose}>
      <form onSubmit={submit} className="space-y-5">
        {draft.isRestored && draft.isChanged && <p className="text-[13px] text-soft">{t("app:restored")}</p>}
        <TextField
          label={t("name")}
          required
          maxLength={100}
          autoFocus={project === undefined}
          value={value.name}
          problem={problem("name")}
          onChange={(event) => change({ name: event.target.value })}
        />
        <div>
          <label htmlFor={id} className="mb-1 block text-[13px] font-medium">
            {t("description")}
          </label>
          <textarea
            id={id}
            rows={3}
            maxLength={2000}
            className="field"
            aria-invalid={problem("description") !== undefined}
            aria-describedby={problem("description") === undefined ? undefined : `${id}-problem`}
            value={value.description}
            onChange={(event) => change({ description: event.target.value })}
          />
          {problem("description") !== undefined && (
            <p id={`${id}-problem`} className="mt-1 text-[13px] text-bad">
              <span aria-hidden>✕ </span>
              {problem("description")}
            </p>
          )}
        </div>
        {saving.isError && !isConflict(saving.error) && <Failure error={saving.error} />}
        <div className="flex flex-wrap gap-2">
          <Button type="submit" look="main" isBusy={saving.isPending} disabled={project !== undefined && !draft.isChanged}>
            {project === undefined ? t("create") : t("app:save")}
          </Button>
          {draft.isChanged && (
            <Button look="quiet" onClick={() => draft.discard()}>
              {t("app:discard")}
            </Button>
          )}
        </div>
      </form>
      {project !== undefined && <Members project={project} />}
      {theirs !== undefined && (
        <Conflict
          differences={differences(draftOf(theirs), value).map((each) => ({ ...each, field: t(each.field) }))}
          isBusy={saving.isPending}
          onKeep={() => saving.mutate(theirs.revision)}
          onTake={() => {
            draft.discard(draftOf(theirs));
            setSeen(theirs.revision);
            setTheirs(undefined);
            void queries.invalidateQueries({ queryKey: ["projects"] });
          }}
          onBack={() => setTheirs(undefined)}
        />
      )}
    </Dialog>
  );
}
