/** Makes a model, or changes one; says while it is written what is wrong, and where a turn would go. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useModelNames } from "@/api/models";
import { useNames } from "@/api/names";
import { useSettled } from "@/shared/clock";
import { AreaField, CheckField, Choices, optionsOf, TextField } from "@/shared/Field";
import { type Fields, FormDialog } from "@/shared/FormDialog";
import { ModelField } from "@/shared/ModelField";
import { tell } from "@/shared/toasts";
import { channelsQuery } from "@/features/channels/api";
import { createModel, fetchModel, type Model, problemsQuery, updateModel } from "./api";
import { differences, draftOf, inputOf, type ModelDraft, NEW_MODEL } from "./draft";
import { DryRun } from "./DryRun";
import { Targets } from "./Targets";

export function ModelDialog({ model, onClose }: { model?: Model; onClose: () => void }) {
  const { t } = useTranslation(["models", "app"]);
  const mayWrite = useMay("channels:write") && model?.managedBy !== "FILE";
  return (
    <FormDialog
      title={model?.name ?? t("create")}
      name="model"
      blank={NEW_MODEL}
      mayWrite={mayWrite}
      create={(draft) => createModel(inputOf(draft))}
      act={t("create")}
      changed={
        model && {
          thing: model,
          draftOf,
          update: (id, revision, draft) => updateModel(id, revision, inputOf(draft)),
          fetch: fetchModel,
          differences: (theirs, yours) => differences(theirs, yours).map((each) => ({ ...each, field: t(each.field) })),
        }
      }
      touches={["models"]}
      onCreated={(made) => {
        tell(t("told.created", { name: made.name }));
        onClose();
      }}
      onChanged={() => tell(t("app:saved"))}
      onClose={onClose}
    >
      {(fields) => <Form {...fields} model={model} mayWrite={mayWrite} />}
    </FormDialog>
  );
}

function Form({ model, mayWrite, ...fields }: Fields<ModelDraft> & { model: Model | undefined; mayWrite: boolean }) {
  const { t } = useTranslation(["models", "app"]);
  const { value, change } = fields;
  const channels = useQuery(channelsQuery(false)).data?.channels.nodes;
  const tags = useMemo(() => [...new Set((channels ?? []).flatMap((each) => each.tags))].sort(), [channels]);
  const settled = JSON.parse(useSettled(JSON.stringify(inputOf(value)), 300)) as ReturnType<typeof inputOf>;
  const problems = useQuery({ ...problemsQuery(model?.id, settled), enabled: mayWrite }).data ?? [];
  const isBlank = value.name === "" && value.targets.every((each) => each.place === "");
  const problem = (field: string) =>
    fields.problem(field) ?? (isBlank ? undefined : problems.find((each) => each.field === field)?.message);
  return (
    <>
      {model?.managedBy === "FILE" && <p className="rounded-xl bg-sunken px-4 py-3">{t("app:managedByFile")}</p>}
      <TextField
        label={t("name")}
        hint={t("nameHint")}
        required
        isMono
        maxLength={256}
        autoFocus={model === undefined}
        value={value.name}
        problem={value.name === "" ? fields.problem("name") : problem("name")}
        onChange={(event) => change({ name: event.target.value.trim() })}
      />
      <AreaField
        label={t("description")}
        rows={2}
        maxLength={2000}
        value={value.description}
        problem={problem("description")}
        onChange={(event) => change({ description: event.target.value })}
      />
      <CheckField
        label={t("isEnabled")}
        hint={t("isEnabledHint")}
        checked={value.isEnabled}
        onChange={(event) => change({ isEnabled: event.target.checked })}
      />
      <Targets {...fields} problem={problem} tags={tags} />
      <Fallbacks {...fields} problem={problem} />
      <Restriction {...fields} />
      <DryRun draft={value} isGood={mayWrite ? problems.length === 0 && !isBlank : true} />
    </>
  );
}

/** Each in its place; an empty one at the end is the next. */
function Fallbacks({ value, change, problem }: Fields<ModelDraft>) {
  const { t } = useTranslation("models");
  const names = useModelNames().filter((each) => each !== value.name);
  const set = (index: number, name: string) => {
    const fallbacks = [...value.fallbacks];
    fallbacks[index] = name;
    change({ fallbacks: fallbacks.filter((each) => each !== "") });
  };
  return (
    <fieldset className="space-y-2">
      <legend className="font-medium">{t("fallbacks")}</legend>
      <p className="text-[13px] text-soft">{t("fallbacksHint")}</p>
      {[...value.fallbacks, ""].map((name, index) => (
        <ModelField
          key={index}
          label={t("fallback", { number: index + 1 })}
          models={names}
          value={name}
          problem={problem(`fallbacks.${index}`)}
          onChange={(next) => set(index, next)}
        />
      ))}
    </fieldset>
  );
}

function Restriction({ value, change }: Pick<Fields<ModelDraft>, "value" | "change">) {
  const { t } = useTranslation("models");
  const projects = useNames().projects;
  return (
    <Choices
      label={t("restricted")}
      options={optionsOf(projects)}
      chosen={value.projects}
      onChange={(chosen) => change({ projects: chosen })}
    />
  );
}
