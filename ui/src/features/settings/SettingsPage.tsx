import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/client";
import { isConflict } from "@/api/errors";
import { graphql, type ResultOf } from "@/api/graphql";
import { useMay } from "@/api/me";
import { Button } from "@/shared/Button";
import { Conflict } from "@/shared/Conflict";
import { useDraft } from "@/shared/draft";
import { TextField } from "@/shared/Field";
import { Card, Page } from "@/shared/Page";
import { problemOf } from "@/shared/problems";
import { Failure, SkeletonRows } from "@/shared/states";
import { tell } from "@/shared/toasts";

const SETTINGS = graphql(`query Settings { version settings { turnDays bodyDays revision file } }`);
const UPDATE = graphql(`
  mutation UpdateSettings($revision: Int!, $input: SettingsInput!) {
    updateSettings(revision: $revision, input: $input) { revision }
  }
`);
const RELOAD = graphql(`mutation ReloadFile { reloadFile { file channels apiKeys } }`);
type Settings = ResultOf<typeof SETTINGS>["settings"];

const settingsQuery = { queryKey: ["settings"], queryFn: () => ask(SETTINGS, {}) };

export function SettingsPage() {
  const { t } = useTranslation("settings");
  const found = useQuery(settingsQuery);
  return (
    <Page title={t("title")} lead={found.data && t("version", { version: found.data.version })}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.data === undefined ? (
        <SkeletonRows />
      ) : (
        <div className="grid max-w-3xl gap-5">
          <Retention settings={found.data.settings} />
          <ConfigurationFile file={found.data.settings.file} />
        </div>
      )}
    </Page>
  );
}

const FIELDS = ["turnDays", "bodyDays"] as const;
const draftOf = (settings: Settings) => ({ turnDays: String(settings.turnDays), bodyDays: String(settings.bodyDays) });

function Retention({ settings }: { settings: Settings }) {
  const { t } = useTranslation(["settings", "app"]);
  const queries = useQueryClient();
  const mayWrite = useMay("settings:write");
  const draft = useDraft("settings", draftOf(settings));
  const [seen, setSeen] = useState(settings.revision);
  const [theirs, setTheirs] = useState<Settings>();
  const saving = useMutation({
    mutationFn: (revision: number) => {
      const input = { turnDays: Number(draft.value.turnDays), bodyDays: Number(draft.value.bodyDays) };
      return ask(UPDATE, { revision, input });
    },
    meta: { isTold: true },
    onSuccess: (told) => {
      setSeen(told.updateSettings.revision);
      setTheirs(undefined);
      draft.discard(draft.value);
      tell(t("app:saved"));
      void queries.invalidateQueries({ queryKey: ["settings"] });
    },
    onError: async (error) => {
      if (isConflict(error)) setTheirs((await ask(SETTINGS, {})).settings);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate(seen);
  };
  const told = theirs === undefined ? undefined : draftOf(theirs);
  return (
    <Card title={t("retention")}>
      <form onSubmit={submit} className="space-y-4">
        <fieldset disabled={!mayWrite} className="grid gap-4 sm:grid-cols-2">
          {FIELDS.map((name) => (
            <TextField
              key={name}
              label={t(name)}
              hint={t(`${name}Hint`)}
              type="number"
              min={0}
              required
              value={draft.value[name]}
              problem={problemOf(saving.error, name)}
              onChange={(event) => draft.change({ [name]: event.target.value })}
            />
          ))}
        </fieldset>
        {saving.isError && !isConflict(saving.error) && <Failure error={saving.error} />}
        {mayWrite && (
          <Button type="submit" look="main" disabled={!draft.isChanged} isBusy={saving.isPending}>
            {t("app:save")}
          </Button>
        )}
      </form>
      {theirs !== undefined && told !== undefined && (
        <Conflict
          differences={FIELDS.filter((name) => told[name] !== draft.value[name]).map((name) => ({
            field: t(name),
            theirs: told[name],
            yours: draft.value[name],
          }))}
          isBusy={saving.isPending}
          onKeep={() => saving.mutate(theirs.revision)}
          onTake={() => {
            setSeen(theirs.revision);
            draft.discard(told);
            setTheirs(undefined);
          }}
          onBack={() => setTheirs(undefined)}
        />
      )}
    </Card>
  );
}

function ConfigurationFile({ file }: { file: string }) {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const mayWrite = useMay("settings:write");
  const reloading = useMutation({
    mutationFn: () => ask(RELOAD, {}),
    meta: { isTold: true },
    onSuccess: ({ reloadFile }) => {
      tell(t("reloaded", { channels: reloadFile.channels, keys: reloadFile.apiKeys }));
      void queries.invalidateQueries();
    },
  });
  return (
    <Card title={t("file")}>
      <div className="space-y-3">
        <p className="text-soft">{file === "" ? t("noFile") : <code className="font-mono text-[13px]">{file}</code>}</p>
        <p className="text-[13px] text-soft">{t("fileHint")}</p>
        {reloading.isError && <Failure error={reloading.error} />}
        {mayWrite && file !== "" && (
          <Button icon={<RefreshCw size={15} aria-hidden />} isBusy={reloading.isPending} onClick={() => reloading.mutate()}>
            {t("reload")}
          </Button>
        )}
      </div>
    </Card>
  );
}
