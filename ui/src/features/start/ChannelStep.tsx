/** The first upstream: a vendor, and its key; all else has defaults, and an editor of its own. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/errors";
import { useMay } from "@/api/me";
import { DEFAULT_BASE_URLS } from "@/api/words";
import { createChannel, presetsQuery } from "@/features/channels/api";
import { type ChannelDraft, inputOf, NEW_CHANNEL } from "@/features/channels/draft";
import { presetOf, withPreset } from "@/features/channels/presets";
import { Button, looksOf } from "@/shared/Button";
import { SelectField, TextField } from "@/shared/Field";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";

const OTHER = "";

export function ChannelStep({ isDone, onCreated }: { isDone: boolean; onCreated: (id: string) => void }) {
  const { t } = useTranslation("start");
  const mayWrite = useMay("channels:write");
  return (
    <div className="space-y-4">
      <p className="text-soft">{isDone ? t("channel.some") : t("channel.none")}</p>
      {mayWrite && !isDone && <QuickChannel onCreated={onCreated} />}
      {mayWrite && (
        <p className="flex flex-wrap gap-2">
          <Link to="/channels/new" search={{}} className={looksOf("plain", true)}>
            {t("channel.whole")}
          </Link>
          <Link to="/channels/new" search={{ type: "codex" }} className={looksOf("plain", true)}>
            {t("channel.codex")}
          </Link>
        </p>
      )}
    </div>
  );
}

function QuickChannel({ onCreated }: { onCreated: (id: string) => void }) {
  const { t } = useTranslation("start");
  const queries = useQueryClient();
  const presets = useQuery(presetsQuery).data ?? [];
  const [draft, setDraft] = useState<ChannelDraft>({ ...NEW_CHANNEL, name: "openai" });
  const change = (part: Partial<ChannelDraft>) => setDraft((before) => ({ ...before, ...part }));
  const creating = useMutation({
    mutationFn: () => createChannel(inputOf(draft, true)),
    meta: { isTold: true },
    onSuccess: (channel) => {
      for (const key of ["channels", "names", "progress"]) void queries.invalidateQueries({ queryKey: [key] });
      onCreated(channel.id);
    },
  });
  const preset = presetOf(draft, presets);
  const shown = ["name", "baseURL", "apiKey"].map((field) => problemOf(creating.error, field));
  const [, baseURL, apiKey] = shown;
  const isShown = creating.error instanceof ApiError && creating.error.fields.length > 0 && shown[0] === undefined;
  return (
    <form
      className="grid items-start gap-3 md:grid-cols-[12rem_1fr_1fr]"
      onSubmit={(event) => {
        event.preventDefault();
        creating.mutate();
      }}
    >
      <SelectField
        label={t("channel.vendor")}
        value={preset?.name ?? OTHER}
        options={[...presets.filter((each) => each.type !== "codex").map((each) => ({ value: each.name, label: each.vendor })), { value: OTHER, label: t("channel.other") }]}
        onChange={(event) => {
          const chosen = presets.find((each) => each.name === event.target.value);
          if (chosen !== undefined) change(withPreset(draft, chosen, presets));
        }}
      />
      <TextField
        label={t("channel.baseURL")}
        isMono
        inputMode="url"
        placeholder={DEFAULT_BASE_URLS[draft.type]}
        value={draft.baseURL[draft.type]}
        problem={baseURL}
        onChange={(event) => change({ baseURL: { ...draft.baseURL, [draft.type]: event.target.value } })}
      />
      <TextField
        label={t("channel.apiKey")}
        type="password"
        isMono
        autoComplete="new-password"
        placeholder={preset?.keyHint ?? "sk-…"}
        hint={
          preset !== undefined && preset.keyURL !== "" ? (
            <a href={preset.keyURL} target="_blank" rel="noreferrer" className="underline">
              {t("channel.getKey", { vendor: preset.vendor })}
            </a>
          ) : undefined
        }
        value={draft.apiKey}
        problem={apiKey}
        onChange={(event) => change({ apiKey: event.target.value })}
      />
      <div className="space-y-3 md:col-span-3">
        <Button type="submit" look="main" isBusy={creating.isPending}>
          {t("channel.create")}
        </Button>
        {creating.isError && !isShown && <Failure error={creating.error} />}
      </div>
    </form>
  );
}
