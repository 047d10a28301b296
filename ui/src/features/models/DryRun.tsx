/** Where a turn would go with the model as it is written, before it is saved. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { routeQuery } from "@/api/models";
import { useNames } from "@/api/names";
import { API_FORMATS } from "@/api/words";
import { useSettled } from "@/shared/clock";
import { CheckField, optionsOf, SelectField, TextField } from "@/shared/Field";
import { RouteSteps } from "@/shared/RouteSteps";
import { inputOf, type ModelDraft } from "./draft";

export function DryRun({ draft, isGood }: { draft: ModelDraft; isGood: boolean }) {
  const { t } = useTranslation(["models", "app"]);
  const keys = useNames().keys;
  const [turn, setTurn] = useState({ apiFormat: "responses", streams: true, hasTools: false, inputTokens: "", session: "" });
  const [key, setKey] = useState("");
  const settled = useSettled(JSON.stringify({ turn, key, input: inputOf(draft) }), 300);
  const asked = JSON.parse(settled) as { turn: typeof turn; key: string; input: ReturnType<typeof inputOf> };
  const request = { ...asked.turn, inputTokens: Number(asked.turn.inputTokens || 0), model: draft.name.trim() };
  const found = useQuery({ ...routeQuery(request, asked.key, asked.input), enabled: isGood && request.model !== "" });
  const change = (part: Partial<typeof turn>) => setTurn((before) => ({ ...before, ...part }));
  return (
    <section aria-label={t("dryRun")} className="space-y-3 border-t border-line pt-5">
      <h3 className="font-semibold">{t("dryRun")}</h3>
      <div className="grid gap-3 sm:grid-cols-2">
        <SelectField
          label={t("api")}
          value={turn.apiFormat}
          options={API_FORMATS.map((value) => ({ value, label: t(`app:apis.${value}`) }))}
          onChange={(event) => change({ apiFormat: event.target.value })}
        />
        <SelectField
          label={t("key")}
          value={key}
          options={[{ value: "", label: t("anybody") }, ...optionsOf(keys)]}
          onChange={(event) => setKey(event.target.value)}
        />
        <TextField
          label={t("inputTokens")}
          type="number"
          min={0}
          max={2_000_000}
          placeholder="0"
          value={turn.inputTokens}
          onChange={(event) => change({ inputTokens: event.target.value })}
        />
        <TextField
          label={t("session")}
          hint={t("sessionHint")}
          value={turn.session}
          onChange={(event) => change({ session: event.target.value })}
        />
        <CheckField label={t("streamsYes")} checked={turn.streams} onChange={(event) => change({ streams: event.target.checked })} />
        <CheckField label={t("hasToolsYes")} checked={turn.hasTools} onChange={(event) => change({ hasTools: event.target.checked })} />
      </div>
      <div aria-live="polite">
        {!isGood && <p className="text-soft">{t("dryRunLater")}</p>}
        {isGood && found.data !== undefined && <RouteSteps route={found.data} />}
      </div>
    </section>
  );
}
