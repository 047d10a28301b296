/** The first steps: a channel, a key, a snippet, a turn that is seen to arrive. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useNames } from "@/api/names";
import { dataPlaneURL } from "@/api/place";
import { createKey } from "@/features/keys/api";
import { inputOf, NEW_KEY } from "@/features/keys/draft";
import { Button, looksOf } from "@/shared/Button";
import { CopyButton, Snippet } from "@/shared/Copy";
import { Choice, SelectField, TextField } from "@/shared/Field";
import { Card, Page } from "@/shared/Page";
import { Failure } from "@/shared/states";
import { FirstTurn } from "./FirstTurn";
import { type Client, CLIENTS, snippet } from "./snippets";

const isName = (model: string) => !/[*?[]/.test(model);

export function StartPage() {
  const { t } = useTranslation("start");
  const names = useNames();
  const [key, setKey] = useState("");
  const enabled = names.channels.filter((each) => each.status === "ENABLED");
  const models = [...new Set(enabled.flatMap((each) => each.models).filter(isName))];
  const [typed, setTyped] = useState("");
  const model = typed || models[0] || "";
  const [client, setClient] = useState<Client>("curl");
  const ways = { base: dataPlaneURL(), key: key || "<your key>", model: model || "<model>" };
  return (
    <Page title={t("title")} lead={t("lead")}>
      <ol className="space-y-5">
        <Step number={1} title={t("channel.title")} isDone={enabled.length > 0}>
          <ChannelStep count={enabled.length} />
        </Step>
        <Step number={2} title={t("key.title")} isDone={key !== "" || names.keys.length > 0}>
          <KeyStep apiKey={key} onKey={setKey} count={names.keys.length} />
        </Step>
        <Step number={3} title={t("snippet.title")} isDone={false}>
          <div className="space-y-4">
            <ModelField models={models} model={model} onChange={setTyped} />
            <Choice
              label={t("snippet.client")}
              value={client}
              options={CLIENTS.map((value) => ({ value, label: t(`clients.${value}`) }))}
              onChange={(value) => setClient(value as Client)}
            />
            <Snippet label={t(`clients.${client}`)} text={snippet(client, ways)} />
          </div>
        </Step>
        <Step number={4} title={t("turn.title")} isDone={false}>
          <FirstTurn apiKey={key} onKey={setKey} model={model} />
        </Step>
      </ol>
    </Page>
  );
}

function Step({ number, title, isDone, children }: { number: number; title: string; isDone: boolean; children: ReactNode }) {
  const { t } = useTranslation("start");
  return (
    <li>
      <Card
        title={
          <span className="flex items-center gap-3">
            <span
              aria-hidden
              className={`grid size-7 place-items-center rounded-full text-sm font-semibold
                ${isDone ? "bg-accent text-accent-ink" : "border border-line-strong text-soft"}`}
            >
              {isDone ? "✓" : number}
            </span>
            {title}
            {isDone && <span className="sr-only">{t("done")}</span>}
          </span>
        }
      >
        {children}
      </Card>
    </li>
  );
}

function ChannelStep({ count }: { count: number }) {
  const { t } = useTranslation("start");
  const mayWrite = useMay("channels:write");
  return (
    <div className="flex flex-wrap items-center gap-3">
      <p className="min-w-0 flex-1 text-soft">{count > 0 ? t("channel.some", { count }) : t("channel.none")}</p>
      {mayWrite && (
        <>
          <Link to="/channels/new" search={{}} className={looksOf(count > 0 ? "plain" : "main")}>
            {t("channel.openai")}
          </Link>
          <Link to="/channels/new" search={{ type: "codex" }} className={looksOf("plain")}>
            {t("channel.codex")}
          </Link>
        </>
      )}
    </div>
  );
}

function KeyStep({ apiKey, onKey, count }: { apiKey: string; onKey: (key: string) => void; count: number }) {
  const { t } = useTranslation("start");
  const mayWrite = useMay("keys:write");
  const queries = useQueryClient();
  const [name, setName] = useState("first");
  const making = useMutation({
    mutationFn: () => createKey(inputOf({ ...NEW_KEY, name })),
    meta: { isTold: true },
    onSuccess: (issued) => {
      onKey(issued.secret);
      void queries.invalidateQueries({ queryKey: ["names"] });
      void queries.invalidateQueries({ queryKey: ["keys"] });
    },
  });
  if (making.data !== undefined) {
    return (
      <div className="space-y-2">
        <p>{t("key.made")}</p>
        <div className="flex flex-wrap items-center gap-2 rounded-xl border border-line bg-sunken p-3">
          <code data-testid="secret" className="min-w-0 flex-1 font-mono text-[13px] break-all">
            {making.data.secret}
          </code>
          <CopyButton text={making.data.secret} />
        </div>
      </div>
    );
  }
  return (
    <div className="space-y-3">
      <p className="text-soft">{count > 0 ? t("key.some", { count }) : t("key.none")}</p>
      {mayWrite && (
        <form
          className="flex flex-wrap items-end gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            making.mutate();
          }}
        >
          <div className="w-56">
            <TextField label={t("key.name")} required value={name} onChange={(event) => setName(event.target.value)} />
          </div>
          <Button type="submit" look={apiKey === "" && count === 0 ? "main" : "plain"} isBusy={making.isPending}>
            {t("key.make")}
          </Button>
        </form>
      )}
      {making.isError && <Failure error={making.error} />}
    </div>
  );
}

function ModelField({ models, model, onChange }: { models: readonly string[]; model: string; onChange: (model: string) => void }) {
  const { t } = useTranslation("start");
  if (models.length > 0) {
    return (
      <div className="max-w-xs">
        <SelectField
          label={t("snippet.model")}
          value={model}
          options={models.map((value) => ({ value, label: value }))}
          onChange={(event) => onChange(event.target.value)}
        />
      </div>
    );
  }
  return (
    <div className="max-w-xs">
      <TextField
        label={t("snippet.model")}
        isMono
        placeholder="gpt-5.2"
        value={model}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}
