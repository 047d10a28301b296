import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { listModels } from "@/api/dataPlane";
import { useMay } from "@/api/me";
import { API_FORMATS, type ApiFormat } from "@/api/words";
import { createKey } from "@/features/keys/api";
import { inputOf, localTime, NEW_KEY } from "@/features/keys/draft";
import { Button } from "@/shared/Button";
import { useSettled } from "@/shared/clock";
import { CheckField, SelectField, TextField } from "@/shared/Field";
import { ModelField } from "@/shared/ModelField";
import { Failure, useFailureText } from "@/shared/states";
import type { Ways } from "./chat";
import { Curl } from "./Curl";
import { DIALECTS } from "./dialects/all";
import { TOOL } from "./tool";

export interface Settings extends Omit<Ways, "key"> {
  question: string;
}

const DAY = 86_400_000;

/** Whose key asks which model, and with what. */
export function Setup(props: {
  apiKey: string;
  onKey: (key: string) => void;
  settings: Settings;
  onChange: (part: Partial<Settings>) => void;
}) {
  const { t } = useTranslation(["playground", "app"]);
  const { apiKey, settings, onChange } = props;
  const settled = useSettled(apiKey, 400);
  const models = useQuery({
    queryKey: ["playground", "models", settled],
    queryFn: ({ signal }) => listModels(settled, signal),
    enabled: settled !== "",
    retry: false,
    // The name of this query holds the key: it goes with the page.
    gcTime: 0,
  });
  const failure = useFailureText(models.error);
  return (
    <div className="space-y-4">
      <SelectField
        label={t("api")}
        value={settings.api}
        options={API_FORMATS.map((value) => ({ value, label: t(`app:apis.${value}`) }))}
        hint={`POST /${DIALECTS[settings.api].path(settings.model)}`}
        onChange={(event) => onChange({ api: event.target.value as ApiFormat })}
      />
      <div>
        <TextField
          label={t("key")}
          type="password"
          isMono
          placeholder="lw_…"
          hint={t("keyHint")}
          problem={models.isError && settled !== "" ? failure : undefined}
          value={apiKey}
          onChange={(event) => props.onKey(event.target.value.trim())}
        />
        {apiKey === "" && <MakeKey onKey={props.onKey} />}
      </div>
      <div>
        <ModelField
          label={t("model")}
          models={models.data ?? []}
          hint={models.data === undefined ? undefined : t("models", { count: models.data.length })}
          value={settings.model}
          onChange={(model) => onChange({ model })}
        />
        <Choices models={models.data ?? []} chosen={settings.model} onChoose={(model) => onChange({ model })} />
      </div>
      <Instructions text={settings.instructions} onChange={(instructions) => onChange({ instructions })} />
      <TextField
        label={t("temperature")}
        hint={t("temperatureHint")}
        type="number"
        min={0}
        max={2}
        step={0.1}
        value={settings.temperature}
        onChange={(event) => onChange({ temperature: event.target.value })}
      />
      <CheckField
        label={t("tool")}
        hint={t("toolHint", { name: TOOL.name })}
        checked={settings.offersTool}
        onChange={(event) => onChange({ offersTool: event.target.checked })}
      />
      <Curl settings={settings} />
    </div>
  );
}

const MOST_SHOWN = 8;

/** A few models are buttons; a long list is found by typing. */
function Choices({ models, chosen, onChoose }: { models: readonly string[]; chosen: string; onChoose: (model: string) => void }) {
  const { t } = useTranslation("playground");
  if (models.length === 0 || models.length > MOST_SHOWN) return null;
  return (
    <div role="group" aria-label={t("choose")} className="mt-2 flex flex-wrap gap-1.5">
      {models.map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === chosen}
          className="rounded-full border border-line px-2.5 py-0.5 font-mono text-[12px] hover:bg-sunken
            aria-pressed:border-accent aria-pressed:bg-accent-wash"
          onClick={() => onChoose(each)}
        >
          {each}
        </button>
      ))}
    </div>
  );
}

function Instructions({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const { t } = useTranslation("playground");
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-[13px] font-medium">
        {t("instructions")}
      </label>
      <textarea
        id={id}
        rows={3}
        className="field max-h-60 min-h-20 [field-sizing:content]"
        aria-describedby={`${id}-hint`}
        value={text}
        onChange={(event) => onChange(event.target.value)}
      />
      <p id={`${id}-hint`} className="mt-1 text-[13px] text-soft">
        {t("instructionsHint")}
      </p>
    </div>
  );
}

/** A key for a day; it is seen by nobody and goes with the page. */
function MakeKey({ onKey }: { onKey: (key: string) => void }) {
  const { t } = useTranslation("playground");
  const mayWrite = useMay("keys:write");
  const queries = useQueryClient();
  const making = useMutation({
    mutationFn: () => {
      const now = new Date();
      const name = `playground ${now.toISOString().slice(0, 19).replace("T", " ")}`;
      return createKey(inputOf({ ...NEW_KEY, name, expiresAt: localTime(new Date(now.getTime() + DAY).toISOString()) }));
    },
    meta: { isTold: true },
    onSuccess: (issued) => {
      onKey(issued.secret);
      void queries.invalidateQueries({ queryKey: ["names"] });
      void queries.invalidateQueries({ queryKey: ["keys"] });
    },
  });
  if (!mayWrite) return null;
  return (
    <div className="mt-2 space-y-2">
      <Button isSmall isBusy={making.isPending} onClick={() => making.mutate()}>
        {t("makeKey")}
      </Button>
      {making.isError && <Failure error={making.error} />}
    </div>
  );
}
