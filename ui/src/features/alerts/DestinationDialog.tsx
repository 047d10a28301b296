import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { AreaField, CheckField, Choice, SelectField, TextField } from "@/shared/Field";
import { type Fields, FormDialog } from "@/shared/FormDialog";
import { tell } from "@/shared/toasts";
import { createDestination, type Created, type Destination, fetchDestination, updateDestination } from "./api";
import {
  destinationDifferences,
  type DestinationDraft,
  destinationDraftOf,
  destinationInputOf,
  NEW_DESTINATION,
  SECRETS,
} from "./draft";

interface Props {
  destination?: Destination;
  onCreated: (created: Created) => void;
  onClose: () => void;
}

export function DestinationDialog({ destination, onCreated, onClose }: Props) {
  const { t } = useTranslation(["alerts", "app"]);
  const mayWrite = useMay("alerts:write") && destination?.managedBy !== "FILE";
  return (
    <FormDialog
      title={destination?.name ?? t("createDestination")}
      name="alert-destination"
      secrets={SECRETS}
      blank={NEW_DESTINATION}
      create={(draft) => createDestination(destinationInputOf(draft))}
      act={t("createDestination")}
      mayWrite={mayWrite}
      changed={
        destination && {
          thing: destination,
          draftOf: destinationDraftOf,
          update: (id, revision, draft) => updateDestination(id, revision, destinationInputOf(draft)),
          fetch: fetchDestination,
          differences: (theirs, yours) =>
            destinationDifferences(theirs, yours).map((each) => ({
              ...each,
              field: t(`fields.${each.field as Exclude<keyof DestinationDraft, (typeof SECRETS)[number]>}`),
            })),
        }
      }
      touches={["alerts"]}
      onCreated={(created) => {
        tell(t("destinationCreated", { name: created.destination.name }));
        onClose();
        onCreated(created);
      }}
      onChanged={() => tell(t("app:saved"))}
      onClose={onClose}
    >
      {(fields) => <DestinationFields fields={fields} {...(destination === undefined ? {} : { destination })} />}
    </FormDialog>
  );
}

interface Parts {
  fields: Fields<DestinationDraft>;
  destination?: Destination;
}

function DestinationFields({ fields, destination }: Parts) {
  const { t } = useTranslation("alerts");
  const { value, change, problem } = fields;
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
      <Choice
        label={t("fields.kind")}
        value={value.kind}
        options={[
          { value: "WEBHOOK", label: t("kinds.WEBHOOK") },
          { value: "MAIL", label: t("kinds.MAIL") },
        ]}
        onChange={(kind) => change({ kind: kind as DestinationDraft["kind"] })}
      />
      {value.kind === "WEBHOOK" ? (
        <WebhookFields fields={fields} {...(destination === undefined ? {} : { destination })} />
      ) : (
        <MailFields fields={fields} {...(destination === undefined ? {} : { destination })} />
      )}
      <CheckField
        label={t("destinationEnabled")}
        checked={value.enabled}
        onChange={(event) => change({ enabled: event.target.checked })}
      />
    </>
  );
}

function WebhookFields({ fields: { value, change, problem }, destination }: Parts) {
  const { t } = useTranslation("alerts");
  const isKept = destination?.kind === "WEBHOOK";
  return (
    <>
      <TextField
        label={t("url")}
        type="url"
        isMono
        required={!isKept}
        hint={t("urlHint")}
        inherited={isKept ? t("keptAs", { value: destination.address }) : undefined}
        value={value.url}
        problem={problem("url")}
        onChange={(event) => change({ url: event.target.value })}
      />
      <SelectField
        label={t("fields.format")}
        hint={t(`formatHints.${value.format}`)}
        value={value.format}
        options={(["GENERIC", "SLACK", "DISCORD"] as const).map((each) => ({ value: each, label: t(`formats.${each}`) }))}
        problem={problem("format")}
        onChange={(event) => change({ format: event.target.value as DestinationDraft["format"] })}
      />
      {value.format === "GENERIC" && (
        <TextField
          label={t("secret")}
          type="password"
          autoComplete="new-password"
          isMono
          hint={t("secretHint")}
          inherited={destination?.isSigned === true ? t("kept") : undefined}
          value={value.secret}
          problem={problem("secret")}
          onChange={(event) => change({ secret: event.target.value })}
        />
      )}
    </>
  );
}

function MailFields({ fields: { value, change, problem }, destination }: Parts) {
  const { t } = useTranslation("alerts");
  const line = (field: "host" | "port" | "user" | "sender", isRequired: boolean) => (
    <TextField
      label={t(`fields.${field}`)}
      required={isRequired}
      value={value[field]}
      problem={problem(field)}
      onChange={(event) => change({ [field]: event.target.value })}
    />
  );
  return (
    <>
      {line("host", true)}
      <SelectField
        label={t("fields.security")}
        value={value.security}
        options={(["STARTTLS", "TLS", "NONE"] as const).map((each) => ({ value: each, label: t(`securities.${each}`) }))}
        problem={problem("security")}
        onChange={(event) => change({ security: event.target.value as DestinationDraft["security"] })}
      />
      {line("port", true)}
      {line("user", false)}
      <TextField
        label={t("password")}
        type="password"
        autoComplete="new-password"
        inherited={destination?.hasPassword === true ? t("kept") : undefined}
        value={value.password}
        problem={problem("password")}
        onChange={(event) => change({ password: event.target.value })}
      />
      {line("sender", true)}
      <AreaField
        label={t("fields.recipients")}
        hint={t("recipientsHint")}
        rows={2}
        required
        value={value.recipients}
        problem={problem("recipients")}
        onChange={(event) => change({ recipients: event.target.value })}
      />
    </>
  );
}
