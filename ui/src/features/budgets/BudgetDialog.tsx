import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { Choice, optionsOf, SelectField, TextField } from "@/shared/Field";
import { FormDialog } from "@/shared/FormDialog";
import { tell } from "@/shared/toasts";
import { userNamesQuery } from "@/features/users/api";
import { type Budget, createBudget, fetchBudget, updateBudget } from "./api";
import { ACTIONS, type BudgetDraft, differences, draftOf, inputOf, KINDS, NEW_BUDGET, newInputOf, PERIODS, UNITS } from "./draft";

/** Makes a budget, or changes how much it is; whose it is stays. */
export function BudgetDialog({ budget, onClose }: { budget?: Budget; onClose: () => void }) {
  const { t } = useTranslation(["budgets", "app"]);
  const subjects = useSubjects();
  const done = () => {
    tell(t("app:saved"));
    onClose();
  };
  const options = <T extends string>(values: readonly T[], name: (value: T) => string) =>
    values.map((value) => ({ value, label: name(value) }));
  return (
    <FormDialog
      title={budget === undefined ? t("create") : t("of", { kind: t(`kinds.${budget.kind}`), name: budget.subjectName })}
      name="budget"
      blank={NEW_BUDGET}
      create={(draft) => createBudget(newInputOf(draft))}
      act={t("create")}
      changed={
        budget && {
          thing: budget,
          draftOf,
          update: (id, revision, draft) => updateBudget(id, revision, inputOf(draft)),
          fetch: fetchBudget,
          differences: (theirs, yours) => differences(theirs, yours).map((each) => ({ ...each, field: t(each.field) })),
        }
      }
      touches={["budgets"]}
      onCreated={done}
      onChanged={done}
      onClose={onClose}
    >
      {({ value, change, problem }) => (
        <>
          {budget === undefined && (
            <>
              <Choice
                label={t("whose")}
                value={value.kind}
                options={options(KINDS, (each) => t(`kinds.${each}`))}
                onChange={(kind) => change({ kind: kind as BudgetDraft["kind"], subjectID: "" })}
              />
              <SelectField
                label={t(`kinds.${value.kind}`)}
                required
                value={value.subjectID}
                problem={problem("subjectID")}
                options={[{ value: "", label: t("choose") }, ...subjects[value.kind]]}
                onChange={(event) => change({ subjectID: event.target.value })}
              />
              <Choice
                label={t("period")}
                hint={t("periodHint")}
                value={value.period}
                options={options(PERIODS, (each) => t(`periods.${each}`))}
                onChange={(period) => change({ period: period as BudgetDraft["period"] })}
              />
              <Choice
                label={t("unit")}
                value={value.unit}
                options={options(UNITS, (each) => t(`units.${each}`))}
                onChange={(unit) => change({ unit: unit as BudgetDraft["unit"] })}
              />
            </>
          )}
          <TextField
            label={`${t("amount")}, ${t(`units.${value.unit}`)}`}
            type="number"
            required
            min={0}
            step={value.unit === "DOLLARS" ? "any" : 1}
            value={value.amount}
            problem={problem("amount")}
            onChange={(event) => change({ amount: event.target.value })}
          />
          <TextField
            label={t("warnsAt")}
            hint={t("warnsAtHint")}
            value={value.warnsAt}
            problem={problem("warnsAt")}
            onChange={(event) => change({ warnsAt: event.target.value })}
          />
          <Choice
            label={t("action")}
            hint={t(`actionHints.${value.action}`)}
            value={value.action}
            options={options(ACTIONS, (each) => t(`actions.${each}`))}
            onChange={(action) => change({ action: action as BudgetDraft["action"] })}
          />
        </>
      )}
    </FormDialog>
  );
}

function useSubjects(): Record<Budget["kind"], { value: string; label: string }[]> {
  const names = useNames();
  const people = useQuery(userNamesQuery).data ?? [];
  return {
    KEY: optionsOf(names.keys),
    PROJECT: optionsOf(names.projects),
    CHANNEL: optionsOf(names.channels),
    USER: people.map((each) => ({ value: each.id, label: each.email })),
  };
}
