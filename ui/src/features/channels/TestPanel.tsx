/** A trial of a channel, drawn: the handshake, the first event, and whether the second turn continued. */
import { useMutation } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { FlaskConical } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Button } from "@/shared/Button";
import { SelectField, TextField } from "@/shared/Field";
import { milliseconds } from "@/shared/format";
import { Card } from "@/shared/Page";
import { Failure } from "@/shared/states";
import { type Channel, testChannel, type Tested } from "./api";

const plain = (model: string) => !/[*?[]/.test(model);

export function TestPanel({ channel }: { channel: Channel }) {
  const { t } = useTranslation(["channels", "app"]);
  const mayWrite = useMay("channels:write");
  const first = channel.models.find(plain) ?? "";
  const [model, setModel] = useState(first);
  const [api, setApi] = useState("");
  const testing = useMutation({ mutationFn: () => testChannel(channel.id, model, api), meta: { isTold: true } });
  if (!mayWrite) return null;
  return (
    <Card title={t("test.title")}>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          testing.mutate();
        }}
      >
        <p className="text-[13px] text-soft">{t("test.text")}</p>
        <TextField
          label={t("test.model")}
          required
          isMono
          value={model}
          placeholder="gpt-5.2"
          onChange={(event) => setModel(event.target.value)}
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
        {testing.isPending && <Drawn tested={undefined} />}
        {testing.isError && <Failure error={testing.error} />}
        {testing.data !== undefined && !testing.isPending && <Drawn tested={testing.data} />}
      </div>
    </Card>
  );
}

type State = "done" | "failed" | "waits";

function stepsOf(tested: Tested | undefined, t: TFunction<["channels", "app"]>) {
  const state = (isDone: boolean): State => (tested === undefined ? "waits" : isDone ? "done" : "failed");
  const isWire = tested?.transport !== "http";
  return [
    {
      name: isWire ? t("test.handshake") : t("test.connect"),
      state: state(tested?.handshakeMs != null || (!isWire && tested?.firstEventMs != null)),
      value: milliseconds(tested?.handshakeMs),
    },
    { name: t("test.firstEvent"), state: state(tested?.firstEventMs != null), value: milliseconds(tested?.firstEventMs) },
    {
      name: t("test.second"),
      state: state(tested?.continued === true || (tested?.transport === "http" && tested.success)),
      value: tested === undefined ? "" : tested.continued ? t("test.continued") : t("test.inFull"),
    },
    {
      name: t("test.cached"),
      state: state(tested?.cachedTokens != null),
      value: tested?.cachedTokens == null ? "–" : String(tested.cachedTokens),
    },
  ];
}

const INKS: Record<State, string> = { done: "text-good", failed: "text-bad", waits: "text-soft" };
const SIGNS: Record<State, string> = { done: "✓", failed: "✕", waits: "…" };

function Drawn({ tested }: { tested: Tested | undefined }) {
  const { t } = useTranslation(["channels", "app"]);
  return (
    <div>
      {tested !== undefined && (
        <p className={`mb-2 font-medium ${tested.success ? "text-good" : "text-bad"}`}>
          {tested.success
            ? t("test.good", {
                transport: t(`app:transports.${tested.transport}`, { defaultValue: tested.transport }),
                api: t(`app:apis.${tested.api}`, { defaultValue: tested.api }),
              })
            : tested.error}
        </p>
      )}
      {tested !== undefined && tested.dropped.length > 0 && (
        <p className="mb-2 text-[13px] text-soft">
          {t("test.dropped")} <code className="font-mono break-all">{tested.dropped.join(", ")}</code>
        </p>
      )}
      <ol className="space-y-0">
        {stepsOf(tested, t).map((step, index) => (
          <li key={index} className="relative flex items-center gap-3 py-1.5">
            {index > 0 && <span aria-hidden className="absolute top-[-8px] left-[9px] h-4 w-px bg-line-strong" />}
            <span
              aria-hidden
              className={`grid size-5 shrink-0 place-items-center rounded-full border border-current bg-card text-[11px]
                ${INKS[step.state]} ${step.state === "waits" ? "beating" : ""}`}
            >
              {SIGNS[step.state]}
            </span>
            <span className="flex-1">{step.name}</span>
            <span className="font-medium">{step.value}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
