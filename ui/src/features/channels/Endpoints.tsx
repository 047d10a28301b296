/** The APIs of a channel: where they differ from it, and what is dialled in the end. */
import { Plus, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type AnyApi, API_FORMATS, DEFAULT_PATHS, PASSED_APIS, type Transport, TRANSPORTS } from "@/api/words";
import { Button, IconButton } from "@/shared/Button";
import { Badge } from "@/shared/Badge";
import { SelectField, TextField } from "@/shared/Field";
import type { Endpoint } from "./api";
import type { Parts } from "./Connecting";
import { type EndpointDraft, offered } from "./draft";

export function Endpoints({
  draft,
  change,
  problem,
  dialled,
  isLooking,
}: Parts & { dialled: readonly Endpoint[]; isLooking: boolean }) {
  const { t } = useTranslation(["channels", "app"]);
  const isOwn = (api: AnyApi) => Object.values(draft.endpoints[api]).some((value) => value !== "");
  const apis = offered(draft);
  const [opened, setOpened] = useState<readonly AnyApi[]>([]);
  const set = (api: AnyApi, part: Partial<EndpointDraft>) =>
    change({ endpoints: { ...draft.endpoints, [api]: { ...draft.endpoints[api], ...part } } });
  const section = (api: AnyApi) => {
    const isOpen = isOwn(api) || opened.includes(api);
    return (
      <section key={api} aria-label={t(`app:apis.${api}`)} className="rounded-xl border border-line p-3.5">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <h3 className="font-medium">
            {t(`app:apis.${api}`)} {!isOwn(api) && <Badge shape={false}>{t("inherited")}</Badge>}
          </h3>
          {isOpen ? (
            <IconButton
              label={t("endpoints.inherit", { api: t(`app:apis.${api}`) })}
              onClick={() => {
                setOpened(opened.filter((each) => each !== api));
                set(api, { path: "", baseURL: "", transport: "" });
              }}
            >
              <X size={15} aria-hidden />
            </IconButton>
          ) : (
            <Button isSmall look="quiet" icon={<Plus size={14} aria-hidden />} onClick={() => setOpened([...opened, api])}>
              {t("endpoints.differ")}
            </Button>
          )}
        </div>
        {isOpen && (
          <Own
            api={api}
            own={draft.endpoints[api]}
            inherited={dialled.find((each) => each.apiFormat === api)}
            base={draft.baseURL[draft.type]}
            set={(part) => set(api, part)}
            problem={(field) => problem(`endpoints.${api}.${field}`)}
          />
        )}
        <Dialled endpoint={dialled.find((each) => each.apiFormat === api)} isLooking={isLooking} />
      </section>
    );
  };
  const passed = PASSED_APIS.filter((api) => apis.includes(api));
  return (
    <div className="space-y-4">
      <p className="text-[13px] text-soft">{t("endpoints.text")}</p>
      {API_FORMATS.filter((api) => apis.includes(api)).map(section)}
      {passed.length > 0 && (
        <details open={passed.some(isOwn)}>
          <summary className="py-1 text-[13px] font-medium">{t("endpoints.passed", { count: passed.length })}</summary>
          <div className="mt-3 space-y-4">{passed.map(section)}</div>
        </details>
      )}
    </div>
  );
}

function Own(props: {
  api: AnyApi;
  own: EndpointDraft;
  inherited: Endpoint | undefined;
  base: string;
  set: (part: Partial<EndpointDraft>) => void;
  problem: (field: string) => string | undefined;
}) {
  const { t } = useTranslation(["channels", "app"]);
  const { api, own, inherited, set, problem } = props;
  const mark = (value: string) => (value === "" ? t("inherited") : undefined);
  return (
    <div className="mt-3 grid gap-4 sm:grid-cols-2">
      <TextField
        label={t("endpoints.path")}
        isMono
        placeholder={DEFAULT_PATHS[api]}
        value={own.path}
        problem={problem("path")}
        inherited={mark(own.path)}
        onChange={(event) => set({ path: event.target.value })}
      />
      <SelectField
        label={t("transport")}
        value={own.transport}
        problem={problem("transport")}
        options={[
          { value: "", label: t("inheritedIs", { value: t(`app:transports.${(inherited?.transport ?? "") as Transport | ""}`) }) },
          ...TRANSPORTS.map((value) => ({ value, label: t(`app:transports.${value}`) })),
        ]}
        onChange={(event) => set({ transport: event.target.value as Transport | "" })}
      />
      <div className="sm:col-span-2">
        <TextField
          label={t("baseURL")}
          isMono
          inputMode="url"
          placeholder={inherited?.baseURL ?? props.base}
          value={own.baseURL}
          problem={problem("baseURL")}
          inherited={mark(own.baseURL)}
          onChange={(event) => set({ baseURL: event.target.value })}
        />
      </div>
    </div>
  );
}

/** The final URLs, as the gateway will call them. */
function Dialled({ endpoint, isLooking }: { endpoint: Endpoint | undefined; isLooking: boolean }) {
  const { t } = useTranslation(["channels", "app"]);
  if (endpoint === undefined) return null;
  return (
    <div className="mt-2.5 text-[13px]" aria-live="polite" aria-busy={isLooking}>
      {endpoint.dials.length === 0 ? (
        <p className="text-bad">{t("endpoints.undialled")}</p>
      ) : (
        <ol className="space-y-0.5">
          {endpoint.dials.map((url, index) => (
            <li key={url} className="flex min-w-0 flex-wrap gap-x-2">
              <span className="text-soft">{index === 0 ? t("endpoints.dials") : t("endpoints.falls")}</span>
              <code className="min-w-0 font-mono text-[12.5px] break-all">{url}</code>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
