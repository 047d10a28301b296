/** Type, base URL, how the upstream knows us, and the transport: each its own field, each kept. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { CHANNEL_TYPES, type ChannelType, DEFAULT_BASE_URLS, type Transport, TRANSPORTS } from "@/api/words";
import { Choice, TextField } from "@/shared/Field";
import { type Channel, presetsQuery } from "./api";
import { type Auth, type ChannelDraft, offered } from "./draft";
import { presetOf } from "./presets";
import type { Problems } from "./problems";

export interface Parts {
  draft: ChannelDraft;
  change: (part: Partial<ChannelDraft>) => void;
  problem: Problems;
}

export function Connecting({ draft, change, problem, channel }: Parts & { channel: Channel | undefined }) {
  const { t } = useTranslation(["channels", "app"]);
  const auth = draft.auth[draft.type];
  return (
    <>
      <Choice
        label={t("type")}
        value={draft.type}
        options={CHANNEL_TYPES.map((value) => ({ value, label: t(`types.${value}`) }))}
        onChange={(type) => change({ type: type as ChannelType })}
        hint={t(`typeHints.${draft.type}`)}
      />
      <TextField
        label={t("baseURL")}
        isMono
        inputMode="url"
        placeholder={DEFAULT_BASE_URLS[draft.type]}
        value={draft.baseURL[draft.type]}
        problem={problem("baseURL")}
        inherited={draft.baseURL[draft.type] === "" ? t("baseDefault") : undefined}
        hint={t("baseHint")}
        onChange={(event) => change({ baseURL: { ...draft.baseURL, [draft.type]: event.target.value } })}
      />
      <details className="text-[13px] text-soft">
        <summary>{t("urlRules.title")}</summary>
        <ul className="mt-2 list-disc space-y-1 pl-5">
          <li>{t("urlRules.scheme")}</li>
          <li>{t("urlRules.version")}</li>
          <li>{t("urlRules.hash")}</li>
          <li>{t("urlRules.hashes")}</li>
        </ul>
      </details>
      {offered(draft).includes("responses") && (
        <Choice
          label={t("transport")}
          value={draft.transport}
          options={TRANSPORTS.map((value) => ({ value, label: t(`app:transports.${value}`) }))}
          onChange={(transport) => change({ transport: transport as Transport })}
          hint={t(`transportHints.${draft.transport}`)}
        />
      )}
      {draft.type === "codex" && (
        <Choice
          label={t("auth")}
          value={auth}
          options={[
            { value: "account", label: t("auths.account") },
            { value: "key", label: t("auths.key") },
          ]}
          onChange={(value) => change({ auth: { ...draft.auth, codex: value as Auth } })}
          hint={t(`authHints.${auth}`)}
        />
      )}
      {auth === "key" && <KeyField draft={draft} change={change} problem={problem} channel={channel} />}
      {auth === "account" && channel === undefined && <p className="text-soft">{t("accountsLater")}</p>}
    </>
  );
}

function KeyField({ draft, change, problem, channel }: Parts & { channel: Channel | undefined }) {
  const { t } = useTranslation("channels");
  const preset = presetOf(draft, useQuery(presetsQuery).data ?? []);
  const isKept = channel?.hasCredential === true && draft.apiKey === "" && !draft.removesKey;
  return (
    <TextField
      label={t("apiKey")}
      type="password"
      isMono
      autoComplete="new-password"
      placeholder={isKept ? "••••••••••••" : (preset?.keyHint ?? "sk-…")}
      value={draft.apiKey}
      problem={problem("apiKey")}
      inherited={isKept ? t("keyKept") : undefined}
      hint={
        <>
          {t("keyHint")}{" "}
          {preset !== undefined && preset.keyURL !== "" && (
            <a href={preset.keyURL} target="_blank" rel="noreferrer" className="underline">
              {t("vendors.key", { vendor: preset.vendor })}
            </a>
          )}
        </>
      }
      onChange={(event) => change({ apiKey: event.target.value })}
    />
  );
}
