import { useTranslation } from "react-i18next";
import { AreaField, TextField } from "@/shared/Field";
import { FormDialog } from "@/shared/FormDialog";
import { tell } from "@/shared/toasts";
import { createProject, fetchProject, type Project, updateProject } from "./api";
import { differences, draftOf, inputOf, isLimit, NEW_PROJECT } from "./draft";
import { MemberBounds } from "./MemberBounds";
import { Members } from "./Members";

/** Makes a project, or changes one and who belongs to it. */
export function ProjectDialog({
  project,
  onClose,
  onCreated = () => undefined,
}: {
  project?: Project;
  onClose: () => void;
  onCreated?: (made: Project) => void;
}) {
  const { t } = useTranslation(["projects", "keys", "app"]);
  return (
    <FormDialog
      title={project?.name ?? t("create")}
      name="project"
      blank={NEW_PROJECT}
      create={(draft) => createProject(inputOf(draft))}
      act={t("create")}
      changed={
        project && {
          thing: project,
          draftOf,
          update: (id, revision, draft) => updateProject(id, revision, inputOf(draft)),
          fetch: fetchProject,
          differences: (theirs, yours) => differences(theirs, yours).map((each) => ({ ...each, field: t(isLimit(each.field) ? `keys:budget.${each.field}` : each.field) })),
        }
      }
      touches={["projects", "names"]}
      onCreated={(made) => {
        tell(t("told.created", { name: made.name }));
        onCreated(made);
      }}
      onChanged={() => tell(t("app:saved"))}
      onClose={onClose}
      below={project && <Members project={project} />}
    >
      {({ value, change, problem }) => (
        <>
          <TextField
            label={t("name")}
            required
            maxLength={100}
            autoFocus={project === undefined}
            value={value.name}
            problem={problem("name")}
            onChange={(event) => change({ name: event.target.value })}
          />
          <AreaField
            label={t("description")}
            rows={3}
            maxLength={2000}
            value={value.description}
            problem={problem("description")}
            onChange={(event) => change({ description: event.target.value })}
          />
          <MemberBounds draft={value} change={change} problem={problem} />
        </>
      )}
    </FormDialog>
  );
}
