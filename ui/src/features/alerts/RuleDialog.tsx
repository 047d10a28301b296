import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { CheckField, optionsOf, SelectField, TextField } from "@/shared/Field";
import { type Fields, FormDialog } from "@/shared/FormDialog";
import { tell } from "@/shared/toasts";
import { createRule, destinationsQuery, fetchRule, type Kind, type Rule, updateRule, type Watched } from "./api";
import { kindOf, NEW_RULE, ruleDifferences, type RuleDraft, ruleDraftOf, ruleInputOf, ruleName, thresholdText } from "./draft";

export function RuleDialog({ rule, kinds, onClose }: { rule?: Rule; kinds: readonly Kind[]; onClose: () => void }) {
  const { t } = useTranslation(["alerts", "app"]);
  const mayWrite = useMay("alerts:write") && rule?.managedBy !== "FILE";
  return (
    <FormDialog
      title={rule === undefined ? t("createRule") : ruleName(rule.name, t)}
      name="alert-rule"
      blank={NEW_RULE}
      create={(draft) => createRule(ruleInputOf(draft, kinds))}
      act={t("createRule")}
      mayWrite={mayWrite}
      changed={
        rule && {
          thing: rule,
          draftOf: ruleDraftOf(kinds),
          update: (id, revision, draft) => updateRule(id, revision, ruleInputOf(draft, kinds)),
          fetch: fetchRule,
          differences: (theirs, yours) =>
            ruleDifferences(theirs, yours).map((each) => ({ ...each, field: t(`fields.${each.field as keyof RuleDraft}`) })),
        }
      }
      touches={["alerts"]}
      onCreated={(created) => {
        tell(t("ruleCreated", { name: created.name }));
        onClose();
      }}
      onChanged={() => tell(t("app:saved"))}
      onClose={onClose}
    >
      {(fields) => <RuleFields fields={fields} kinds={kinds} />}
    </FormDialog>
  );
}

function RuleFields({ fields: { value, change, problem }, kinds }: { fields: Fields<RuleDraft>; kinds: readonly Kind[] }) {
  const { t } = useTranslation("alerts");
  const destinations = useQuery(destinationsQuery).data ?? [];
  const kind = kindOf(kinds, value.watched);
  const number = (field: "threshold" | "window" | "lasts" | "leastTurns" | "repeatAfter", label: string, hint?: string) => (
    <TextField
      label={label}
      hint={hint}
      inputMode="decimal"
      value={value[field]}
      problem={problem(field)}
      onChange={(event) => change({ [field]: event.target.value })}
    />
  );
  const watch = (watched: Watched) => {
    const chosen = kindOf(kinds, watched);
    change({ watched, threshold: thresholdText(chosen?.threshold ?? 1, chosen) });
  };
  const several = value.destination.includes(",") ? [{ value: value.destination, label: t("several") }] : [];
  return (
    <>
      <TextField
        label={t("fields.name")}
        required
        maxLength={100}
        value={value.name}
        problem={problem("name")}
        onChange={(event) => change({ name: event.target.value })}
      />
      <SelectField
        label={t("fields.watched")}
        hint={t(`watchedHints.${value.watched}`)}
        value={value.watched}
        options={kinds.map((each) => ({ value: each.watched, label: t(`watched.${each.watched}`) }))}
        problem={problem("watched")}
        onChange={(event) => watch(event.target.value as Watched)}
      />
      {kind?.unit === "SHARE" && number("threshold", t(kind.falls ? "percentBelow" : "percentAbove"))}
      {kind?.unit === "NUMBER" && number("threshold", t("numberAbove"))}
      {kind?.hasWindow === true && number("window", t("fields.window"), t("windowHint"))}
      {kind?.countsTurns === true && number("leastTurns", t("fields.leastTurns"), t("leastTurnsHint"))}
      {number("lasts", t("fields.lasts"), t("lastsHint"))}
      {number("repeatAfter", t("fields.repeatAfter"), t("repeatHint"))}
      <SelectField
        label={t("fields.destination")}
        value={value.destination}
        options={[
          { value: "", label: t("all") },
          ...several,
          ...optionsOf(destinations),
        ]}
        problem={problem("destinations")}
        onChange={(event) => change({ destination: event.target.value })}
      />
      <CheckField label={t("fields.enabled")} checked={value.enabled} onChange={(event) => change({ enabled: event.target.checked })} />
    </>
  );
}
