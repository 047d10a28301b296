/** The targets of a model: moved by keyboard, each with what it asks of a turn. */
import { ArrowDown, ArrowUp, Plus, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useModelNames } from "@/api/models";
import { useNames } from "@/api/names";
import { API_FORMATS } from "@/api/words";
import { Button, IconButton } from "@/shared/Button";
import { Choices, optionsOf, Problems, SelectField, TextField } from "@/shared/Field";
import type { Fields } from "@/shared/FormDialog";
import { ModelField } from "@/shared/ModelField";
import { type ModelDraft, moved, NEW_TARGET, partsOf, type TargetDraft } from "./draft";

const ICON = 15;

export function Targets({ value, change, problem, tags }: Fields<ModelDraft> & { tags: readonly string[] }) {
  const { t } = useTranslation("models");
  const { targets } = value;
  const set = (index: number, part: Partial<TargetDraft>) =>
    change({ targets: targets.map((each, at) => (at === index ? { ...each, ...part } : each)) });
  return (
    <fieldset className="space-y-3">
      <legend className="font-medium">{t("targets")}</legend>
      <p className="text-[13px] text-soft">{t("targetsHint")}</p>
      <Problems fields={["targets"]} problem={problem} />
      {targets.map((target, index) => (
        <section key={index} aria-label={t("target", { number: index + 1 })} className="space-y-3 rounded-xl border border-line p-3">
          <div className="flex items-center gap-1">
            <p className="flex-1 text-[13px] font-medium">{t("target", { number: index + 1 })}</p>
            <IconButton
              label={t("up", { number: index + 1 })}
              disabled={index === 0}
              onClick={() => change({ targets: moved(targets, index, -1) })}
            >
              <ArrowUp size={ICON} aria-hidden />
            </IconButton>
            <IconButton
              label={t("down", { number: index + 1 })}
              disabled={index === targets.length - 1}
              onClick={() => change({ targets: moved(targets, index, 1) })}
            >
              <ArrowDown size={ICON} aria-hidden />
            </IconButton>
            <IconButton
              label={t("remove", { number: index + 1 })}
              onClick={() => change({ targets: targets.filter((_, at) => at !== index) })}
            >
              <X size={ICON} aria-hidden />
            </IconButton>
          </div>
          <TargetFields
            target={target}
            tags={tags}
            set={(part) => set(index, part)}
            problem={(field) => problem(`targets.${index}.${field}`)}
          />
        </section>
      ))}
      <Button isSmall icon={<Plus size={14} aria-hidden />} onClick={() => change({ targets: [...targets, NEW_TARGET] })}>
        {t("addTarget")}
      </Button>
    </fieldset>
  );
}

interface TargetProps {
  target: TargetDraft;
  tags: readonly string[];
  set: (part: Partial<TargetDraft>) => void;
  problem: (field: string) => string | undefined;
}

function TargetFields({ target, tags, set, problem }: TargetProps) {
  const { t } = useTranslation("models");
  const channels = useNames().channels.filter((each) => each.status !== "ARCHIVED");
  const places = [
    ...channels.map((each) => ({ value: `channel:${each.id}`, label: each.name })),
    ...tags.map((each) => ({ value: `tag:${each}`, label: t("ofTag", { tag: each }) })),
  ];
  const isKnown = target.place === "" || places.some((each) => each.value === target.place);
  const [kind, name] = partsOf(target.place);
  const models = useModelNames(kind === "channel" ? name : null);
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        <SelectField
          label={t("place")}
          required
          value={target.place}
          problem={problem("channel") ?? problem("tag")}
          options={[
            { value: "", label: t("choose") },
            ...places,
            // What it aims at stays in sight, though it is gone.
            ...(isKnown ? [] : [{ value: target.place, label: kind === "tag" ? t("ofTag", { tag: name }) : name }]),
          ]}
          onChange={(event) => set({ place: event.target.value })}
        />
        <ModelField
          label={t("modelThere")}
          placeholder={t("samePublic")}
          models={models}
          value={target.model}
          problem={problem("model")}
          onChange={(model) => set({ model })}
        />
        <TextField
          label={t("order")}
          type="number"
          min={0}
          max={1000}
          value={target.order}
          problem={problem("order")}
          onChange={(event) => set({ order: event.target.value })}
        />
        <TextField
          label={t("weight")}
          type="number"
          min={0}
          step="any"
          value={target.weight}
          problem={problem("weight")}
          onChange={(event) => set({ weight: event.target.value })}
        />
      </div>
      <ConditionFields target={target} set={set} problem={(field) => problem(`condition.${field}`)} />
    </>
  );
}

function ConditionFields({ target, set, problem }: Omit<TargetProps, "tags">) {
  const { t } = useTranslation(["models", "app"]);
  const names = useNames();
  const yesNo = (name: "streams" | "hasTools") => [
    { value: "", label: t("any") },
    { value: "true", label: t(`${name}Yes`) },
    { value: "false", label: t(`${name}No`) },
  ];
  const asks = [...target.apis, ...target.keys, ...target.projects, target.streams, target.hasTools, target.minTokens, target.maxTokens];
  return (
    <details open={asks.some((each) => each !== "")}>
      <summary className="cursor-pointer text-[13px] underline underline-offset-3">{t("condition")}</summary>
      <div className="mt-3 grid gap-3 sm:grid-cols-2">
        {(["streams", "hasTools"] as const).map((name) => (
          <SelectField
            key={name}
            label={t(name)}
            value={target[name]}
            options={yesNo(name)}
            onChange={(event) => set({ [name]: event.target.value })}
          />
        ))}
        {(["minTokens", "maxTokens"] as const).map((name) => (
          <TextField
            key={name}
            label={t(name)}
            type="number"
            min={0}
            placeholder={t("any")}
            value={target[name]}
            problem={problem(name)}
            onChange={(event) => set({ [name]: event.target.value })}
          />
        ))}
        <Choices
          label={t("apis")}
          options={API_FORMATS.map((value) => ({ value, label: t(`app:apis.${value}`) }))}
          chosen={target.apis}
          onChange={(apis) => set({ apis })}
        />
        <Choices
          label={t("keys")}
          options={optionsOf(names.keys)}
          chosen={target.keys}
          onChange={(keys) => set({ keys })}
        />
        <Choices
          label={t("projects")}
          options={optionsOf(names.projects)}
          chosen={target.projects}
          onChange={(projects) => set({ projects })}
        />
      </div>
    </details>
  );
}
