import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useModelNames } from "@/api/models";
import { useNames } from "@/api/names";
import { userNamesQuery } from "@/features/users/api";
import { CheckField, Choices, optionsOf, SelectField, TextField } from "@/shared/Field";
import { BUDGETS, type KeyDraft, type Limits, RATES } from "./draft";

/** A new key's, until another one is chosen. */
const DEFAULT_PROJECT = "prj_default";
const NOBODY = "nobody";

interface Parts {
  draft: KeyDraft;
  change: (part: Partial<KeyDraft>) => void;
  problem: (field: string) => string | undefined;
}

/** What a key opens: project, channels, models, and until when. */
export function Reach({ draft, change, problem }: Parts) {
  const { t } = useTranslation("keys");
  const names = useNames();
  const id = useId();
  const mayChoose = useMay("users:read");
  const people = useQuery({ ...userNamesQuery, enabled: mayChoose }).data;
  return (
    <>
      <SelectField
        label={t("project")}
        value={draft.projectID || DEFAULT_PROJECT}
        problem={problem("projectID")}
        options={[
          ...(names.projects.some((each) => each.id === DEFAULT_PROJECT) ? [] : [{ value: "", label: t("defaultProject") }]),
          ...optionsOf(names.projects),
        ]}
        onChange={(event) => change({ projectID: event.target.value })}
      />
      {mayChoose && (
        <SelectField
          label={t("person")}
          hint={t("personHint")}
          value={draft.userID ?? NOBODY}
          problem={problem("userID")}
          options={[
            ...(draft.userID === "" ? [{ value: "", label: t("myself") }] : []),
            ...(people ?? []).map((each) => ({ value: each.id, label: each.email })),
            { value: NOBODY, label: t("nobody") },
          ]}
          onChange={(event) => change({ userID: event.target.value === NOBODY ? null : event.target.value })}
        />
      )}
      <Choices
        label={t("channels")}
        hint={draft.channels.length === 0 ? t("allChannels") : t("someChannels")}
        options={optionsOf(names.channels)}
        chosen={draft.channels}
        onChange={(channels) => change({ channels })}
      />
      <div>
        <label htmlFor={id} className="mb-1 block text-[13px] font-medium">
          {t("models")}
        </label>
        <textarea
          id={id}
          rows={3}
          spellCheck={false}
          className="field font-mono text-[13px]"
          aria-describedby={`${id}-hint`}
          value={draft.models}
          onChange={(event) => change({ models: event.target.value })}
        />
        <AddModel onAdd={(model) => change({ models: draft.models === "" ? model : `${draft.models.trimEnd()}\n${model}` })} />
        <p id={`${id}-hint`} className="text-[13px] text-soft">
          {problem("models") !== undefined && <span className="text-bad">✕ {problem("models")} </span>}
          {t("modelsHint")}
        </p>
      </div>
      <TextField
        label={t("expiresAt")}
        type="datetime-local"
        hint={t("expiresHint")}
        value={draft.expiresAt}
        problem={problem("expiresAt")}
        onChange={(event) => change({ expiresAt: event.target.value })}
      />
      <CheckField
        label={t("keepsBodies")}
        hint={t("keepsBodiesHint")}
        checked={draft.keepsBodies}
        onChange={(event) => change({ keepsBodies: event.target.checked })}
      />
      <CheckField
        label={t("showsReasoning")}
        hint={t("showsReasoningHint")}
        checked={draft.showsReasoning}
        onChange={(event) => change({ showsReasoning: event.target.checked })}
      />
    </>
  );
}

/** Offers the models that are served; the chosen one is written below the others. */
function AddModel({ onAdd }: { onAdd: (model: string) => void }) {
  const { t } = useTranslation("keys");
  const models = useModelNames();
  if (models.length === 0) return null;
  return (
    <SelectField
      label={t("addModel")}
      value=""
      options={[{ value: "", label: t("chooseModel") }, ...models.map((value) => ({ value, label: value }))]}
      onChange={(event) => event.target.value !== "" && onAdd(event.target.value)}
    />
  );
}

interface Limited {
  draft: Limits;
  change: (part: Partial<Limits>) => void;
  problem: (field: string) => string | undefined;
}

/** What a key may spend, or keys of a project at most. */
export function Spending({ draft, change, problem }: Limited) {
  const { t } = useTranslation(["keys", "app"]);
  const groups = [
    { title: t("limits"), prefix: "rates", names: RATES },
    { title: t("budgets"), prefix: "budgets", names: BUDGETS },
  ];
  return (
    <>
      {groups.map(({ title, prefix, names }) => (
        <fieldset key={prefix}>
          <legend className="mb-2 font-medium">{title}</legend>
          {prefix === "budgets" && <p className="mb-2 text-[13px] text-soft">{t("budgetsHint")}</p>}
          <div className="grid gap-3 sm:grid-cols-2">
            {names.map((name) => (
              <TextField
                key={name}
                label={t(`budget.${name}`)}
                type="number"
                min={0}
                step={name.startsWith("cost") ? "any" : 1}
                placeholder={t("app:unlimited")}
                value={draft[name]}
                problem={problem(`${prefix}.${name}`)}
                onChange={(event) => change({ [name]: event.target.value })}
              />
            ))}
          </div>
        </fieldset>
      ))}
    </>
  );
}
