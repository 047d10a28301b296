import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { TextField } from "@/shared/Field";
import { FormDialog } from "@/shared/FormDialog";
import { tell } from "@/shared/toasts";
import { createKey, fetchKey, type Issued, type Key, updateKey } from "./api";
import { differences, draftOf, inputOf, NEW_KEY } from "./draft";
import { Reach, Spending } from "./KeyFields";

export function KeyDialog({
  apiKey,
  onClose,
  onIssued = () => undefined,
}: {
  apiKey?: Key;
  onClose: () => void;
  onIssued?: (issued: Issued) => void;
}) {
  const { t } = useTranslation(["keys", "app"]);
  const mayWrite = useMay("keys:own") && apiKey?.managedBy !== "FILE" && apiKey?.status !== "REVOKED";
  return (
    <FormDialog
      title={apiKey?.name ?? t("create")}
      name="key"
      blank={NEW_KEY}
      create={(draft) => createKey(inputOf(draft))}
      act={t("create")}
      changed={
        apiKey && {
          thing: apiKey,
          draftOf,
          update: (id, revision, draft) => updateKey(id, revision, inputOf(draft)),
          fetch: fetchKey,
          differences: (theirs, yours) => differences(theirs, yours).map((each) => ({ ...each, field: t(`fields.${each.field}`) })),
        }
      }
      mayWrite={mayWrite}
      touches={["keys", "names"]}
      onCreated={onIssued}
      onChanged={() => {
        tell(t("app:saved"));
        onClose();
      }}
      onClose={onClose}
    >
      {({ value, change, problem }) => (
        <>
          <TextField
            label={t("name")}
            hint={t("nameHint")}
            required
            autoFocus={apiKey === undefined}
            value={value.name}
            problem={problem("name")}
            onChange={(event) => change({ name: event.target.value })}
          />
          <Reach draft={value} change={change} problem={problem} />
          <Spending draft={value} change={change} problem={problem} />
        </>
      )}
    </FormDialog>
  );
}
