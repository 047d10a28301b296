/** A trial of a channel, drawn: the handshake, the first event, and whether the second turn continued. */
import { useMutation } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { FlaskConical } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useModelNames } from "@/api/models";
import { Button } from "@/shared/Button";
import { SelectField } from "@/shared/Field";
import { milliseconds, UNKNOWN } from "@/shared/format";
import { ModelField } from "@/shared/ModelField";
import { Card } from "@/shared/Page";
import { Failure } from "@/shared/states";
import type { Channel } from "./api";
import { testChannel, type Tested } from "./testChannel";
import { type State, type Step, stepsOf } from "./trial";

const plain = (model: string) => !/[*?[]/.test(model);

export function TestPanel({ channel }: { channel: Channel }) {
  const { t } = useTranslation("channels");
  if (!useMay("channels:write")) return null;
  return (
    <Card title={t("test.title")}>
      <Trial channel={channel} />
    </Card>
  );
}

interface TrialProps {
  channel: Channel;
  /** Without waiting to be asked. */
  startsAtOnce?: boolean;
  onTested?: (tested: Tested) => void;
}

export function Trial({ channel, startsAtOnce = false, onTested }: TrialProps) {
  const { t } = useTranslation(["channels", "app"]);
  const models = useModelNames(channel.id === "" ? null : channel.id);
  const first = channel.models.find(plain) ?? "";
  const [model, setModel] = useState(first);
  const [api, setApi] = useState("");
  const testing = useMutation({
    mutationFn: () => testChannel(channel.id, model, api),
    meta: { isTold: true },
    onSuccess: (tested) => onTested?.(tested),
  });
  const hasStarted = useRef(false);
  useEffect(() => {
    if (!startsAtOnce || hasStarted.current) return;
    hasStarted.current = true;
    testing.mutate();
  }, [startsAtOnce, testing]);
  return (
    <div>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          testing.mutate();
        }}
      >
        <p className="text-[13px] text-soft">{t("test.text")}</p>
        <ModelField
          label={t("test.model")}
          hint={t("test.modelHint")}
          models={models}
          value={model}
          placeholder={testing.data?.model || "gpt-5.2"}
          onChange={setModel}
        />
        {channel.offered.length > 1 && (
          <SelectField
            label={t("test.api")}
            value={channel.offered.includes(api) ? api : ""}
            options={[
              { value: "", label: t("test.anyApi") },
              ...channel.offered.map((value) => ({ value, label: t(`app:apis.${value}`, { defaultValue: value }) })),
            ]}
            onChange={(event) => setApi(event.target.value)}
          />
        )}
        <Button type="submit" icon={<FlaskConical size={15} aria-hidden />} isBusy={testing.isPending}>
          {t("test.run")}
        </Button>
      </form>
      <div aria-live="polite" className="mt-4 space-y-3">
        {testing.isPending && <Drawn channel={channel} api={api} tested={undefined} />}
        {testing.isError && <Failure error={testing.error} />}
        {testing.data !== undefined && !testing.isPending && <Drawn channel={channel} api={api} tested={testing.data} />}
      </div>
    </div>
  );
}

const INKS: Record<State, string> = { done: "text-good", failed: "text-bad", waits: "text-soft", skipped: "text-soft" };
const SIGNS: Record<State, string> = { done: "✓", failed: "✕", waits: "…", skipped: "–" };

/** What there is to say of a step. */
function valueOf(step: Step, tested: Tested | undefined, t: TFunction<["channels", "app"]>): string {
  if (tested === undefined) return "";
  if (step === "handshake") return milliseconds(tested.handshakeMs);
  if (step === "firstEvent") return milliseconds(tested.firstEventMs);
  if (step === "cached") return tested.cachedTokens === null ? UNKNOWN : String(tested.cachedTokens);
  if (!tested.success) return UNKNOWN;
  return tested.continued ? t("test.continued") : t("test.inFull");
}

export function Drawn({ channel, api, tested }: { channel: Channel; api: string; tested: Tested | undefined }) {
  const { t } = useTranslation(["channels", "app"]);
  const name = tested === undefined ? "" : t(`app:apis.${tested.api}`, { defaultValue: tested.api });
  return (
    <div>
      {tested !== undefined && (
        <p className={`mb-2 font-medium ${tested.success ? "text-good" : "text-bad"}`}>
          {tested.success
            ? t("test.good", {
                transport: t(`app:transports.${tested.transport}`, { defaultValue: tested.transport }),
                api: name,
              })
            : `${name === "" ? "" : `${t("test.bad", { api: name })} `}${tested.error ?? ""}`}
        </p>
      )}
      {tested !== undefined && tested.dropped.length > 0 && (
        <p className="mb-2 text-[13px] text-soft">
          {t("test.dropped")} <code className="font-mono break-all">{tested.dropped.join(", ")}</code>
        </p>
      )}
      <ol className="space-y-0">
        {stepsOf(channel, api, tested).map(([step, state], index) => (
          <li key={step} className="relative flex items-center gap-3 py-1.5">
            {index > 0 && <span aria-hidden className="absolute top-[-8px] left-[9px] h-4 w-px bg-line-strong" />}
            <span
              aria-hidden
              className={`grid size-5 shrink-0 place-items-center rounded-full border border-current bg-card text-[11px]
                ${INKS[state]} ${state === "waits" ? "beating" : ""}`}
            >
              {SIGNS[state]}
            </span>
            <span className="flex-1">{t(`test.${step}`)}</span>
            <span className="font-medium">{valueOf(step, tested, t)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
