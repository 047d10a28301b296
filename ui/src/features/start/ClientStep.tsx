/** What points each client here, as `longwire setup` prints it, and where each API is served. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { dataPlaneURL } from "@/api/place";
import { API_FORMATS } from "@/api/words";
import { DIALECTS } from "@/features/playground/dialects/all";
import { CopyButton, Snippet } from "@/shared/Copy";
import { Choice } from "@/shared/Field";
import { ModelField } from "@/shared/ModelField";
import { type Client, CLIENTS, snippet } from "./snippets";

interface Props {
  apiKey: string;
  model: string;
  models: readonly string[];
  onModel: (model: string) => void;
}

export function ClientStep({ apiKey, model, models, onModel }: Props) {
  const { t } = useTranslation("start");
  const [client, setClient] = useState<Client>("curl");
  const ways = { base: dataPlaneURL(), key: apiKey || "<your key>", model: model || "<model>" };
  return (
    <div className="space-y-4">
      <div className="max-w-xs">
        <ModelField label={t("client.model")} placeholder="gpt-5.2" models={models} value={model} onChange={onModel} />
      </div>
      <Choice
        label={t("client.client")}
        value={client}
        options={CLIENTS.map((value) => ({ value, label: t(`clients.${value}`) }))}
        onChange={(value) => setClient(value as Client)}
      />
      <Snippet label={t(`clients.${client}`)} text={snippet(client, ways)} />
      <Served root={ways.base.replace(/v1$/, "")} model={model || "MODEL"} />
    </div>
  );
}

/** A card for each API that clients are served in. */
function Served({ root, model }: { root: string; model: string }) {
  const { t } = useTranslation(["start", "app"]);
  return (
    <section aria-label={t("client.served")}>
      <h3 className="mb-2 text-[13px] font-medium">{t("client.served")}</h3>
      <ul className="grid gap-2 md:grid-cols-2">
        {API_FORMATS.map((api) => {
          const url = root + DIALECTS[api].path(model);
          return (
            <li key={api} className="flex flex-wrap items-center gap-2 rounded-xl border border-line px-3 py-2">
              <div className="min-w-0 flex-1 basis-48">
                <p className="font-medium">{t(`app:apis.${api}`)}</p>
                <code className="font-mono text-[12px] break-all text-soft">POST {url}</code>
              </div>
              <CopyButton text={url} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
