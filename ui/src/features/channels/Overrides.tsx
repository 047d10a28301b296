/** What is set, defaulted or removed in requests upstream, tried on a turn before it is saved. */
import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/shared/Button";
import { useSettled } from "@/shared/clock";
import { Problems, TextField } from "@/shared/Field";
import { Failure } from "@/shared/states";
import { type Channel, type Preview, previewQuery } from "./api";
import type { Parts } from "./Connecting";
import { ACTIONS, KINDS, NO_OVERRIDE, type OverrideDraft, overrideInputs } from "./overrideDraft";

const FIELDS = ["action", "member", "header", "value", "models", "apis"] as const;
const HIDDEN = { type: "password", autoComplete: "new-password" };

export function Overrides({ draft, change, problem, channel }: Parts & { channel: Channel | undefined }) {
  const { t } = useTranslation("channels");
  const set = (index: number, part: Partial<OverrideDraft>) =>
    change({ overrides: draft.overrides.map((each, at) => (at === index ? { ...each, ...part } : each)) });
  return (
    <div className="space-y-4">
      <p className="text-[13px] text-soft">{t("overrides.hint")}</p>
      {draft.overrides.map((each, index) => (
        <div key={index} role="group" aria-label={t("overrides.one", { number: index + 1 })}>
          <Row
            override={each}
            set={(part) => set(index, part)}
            isWrong={(field) => problem(`overrides.${index}.${field}`) !== undefined}
            remove={() => change({ overrides: draft.overrides.filter((_, at) => at !== index) })}
          />
          <Problems fields={FIELDS} problem={(field) => problem(`overrides.${index}.${field}`)} />
        </div>
      ))}
      <Button
        isSmall
        icon={<Plus size={14} aria-hidden />}
        onClick={() => change({ overrides: [...draft.overrides, NO_OVERRIDE] })}
      >
        {t("overrides.add")}
      </Button>
      {channel !== undefined && draft.overrides.length > 0 && <Trial channel={channel} overrides={draft.overrides} />}
    </div>
  );
}

interface RowProps {
  override: OverrideDraft;
  set: (part: Partial<OverrideDraft>) => void;
  isWrong: (field: (typeof FIELDS)[number]) => boolean;
  remove: () => void;
}

function Row({ override, set, isWrong, remove }: RowProps) {
  const { t } = useTranslation("channels");
  const texts = override.action === "remove" ? (["models", "apis"] as const) : (["value", "models", "apis"] as const);
  const ofValue = override.kind === "member" ? '"low"' : override.isKept ? "••••••" : "";
  const placeholders = { value: ofValue, models: "*", apis: t("overrides.conversations") };
  return (
    <div className="grid grid-cols-2 items-end gap-2 sm:grid-cols-[8rem_8rem_1fr]">
      <label className="min-w-0 text-[12.5px]">
        {t("overrides.action")}
        <select
          className="field text-[13px]"
          value={override.action}
          onChange={(event) => set({ action: event.target.value as OverrideDraft["action"] })}
        >
          {ACTIONS.map((action) => (
            <option key={action} value={action}>
              {t(`overrides.actions.${action}`)}
            </option>
          ))}
        </select>
      </label>
      <label className="min-w-0 text-[12.5px]">
        {t("overrides.kind")}
        <select
          className="field text-[13px]"
          value={override.kind}
          onChange={(event) => set({ kind: event.target.value as OverrideDraft["kind"], value: "", isKept: false })}
        >
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {t(`overrides.kinds.${kind}`)}
            </option>
          ))}
        </select>
      </label>
      <div className="col-span-2 flex items-end gap-2 sm:col-span-1">
        <label className="min-w-0 grow text-[12.5px]">
          {t("overrides.name")}
          <input
            className="field font-mono text-[13px]"
            placeholder={override.kind === "member" ? "reasoning.effort" : "x-team"}
            spellCheck={false}
            value={override.name}
            aria-invalid={isWrong(override.kind)}
            onChange={(event) => set({ name: event.target.value, isKept: false })}
          />
        </label>
        <IconButton label={t("overrides.remove")} onClick={remove}>
          <X size={15} aria-hidden />
        </IconButton>
      </div>
      <div className="col-span-2 grid gap-2 sm:col-span-3 sm:grid-cols-3">
        {texts.map((name) => (
          <label key={name} className="min-w-0 text-[12.5px]">
            {t(`overrides.${name}`)}
            <input
              className="field font-mono text-[13px]"
              {...(name === "value" && override.kind === "header" ? HIDDEN : {})}
              placeholder={placeholders[name]}
              spellCheck={false}
              value={override[name]}
              aria-invalid={isWrong(name)}
              onChange={(event) => set({ [name]: event.target.value })}
            />
          </label>
        ))}
      </div>
    </div>
  );
}

/** What the overrides, as they are written, make of a logged turn or of a sample. */
function Trial({ channel, overrides }: { channel: Channel; overrides: readonly OverrideDraft[] }) {
  const { t } = useTranslation("channels");
  const [isOpen, setOpen] = useState(false);
  const [turn, setTurn] = useState("");
  const input = useSettled(overrideInputs(overrides));
  const found = useQuery({ ...previewQuery(channel.id, input, useSettled(turn.trim())), enabled: isOpen });
  if (!isOpen) {
    return (
      <Button isSmall onClick={() => setOpen(true)}>
        {t("overrides.preview")}
      </Button>
    );
  }
  return (
    <section aria-label={t("overrides.preview")} className="space-y-2 rounded-lg border border-line p-3">
      <TextField
        label={t("overrides.turn")}
        hint={t("overrides.turnHint")}
        isMono
        value={turn}
        onChange={(event) => setTurn(event.target.value)}
      />
      {found.isError && <Failure error={found.error} />}
      {found.data !== undefined && !found.isError && <Changes preview={found.data} />}
    </section>
  );
}

function Changes({ preview }: { preview: Preview }) {
  const { t } = useTranslation("channels");
  const rows = [...preview.members, ...preview.headers];
  const of = { model: preview.model, api: preview.api };
  return (
    <div role="status" className="space-y-1 text-[13px]">
      <p className="text-soft">{preview.isSample ? t("overrides.ofSample", of) : t("overrides.ofTurn", of)}</p>
      {rows.length === 0 && <p>{t("overrides.nothing")}</p>}
      <dl className="space-y-2">
        {rows.map((each) => (
          <div key={each.name}>
            <dt className="font-mono font-medium">{each.name}</dt>
            {each.before !== "" && (
              <dd className="overflow-x-auto font-mono break-all text-bad">
                <del className="no-underline">− {each.before}</del>
              </dd>
            )}
            {each.after !== "" && (
              <dd className="overflow-x-auto font-mono break-all text-good">
                <ins className="no-underline">+ {each.after}</ins>
              </dd>
            )}
          </div>
        ))}
      </dl>
    </div>
  );
}
