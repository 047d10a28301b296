/** Models and their names, limits, and what few channels need. */
import { Plus, X } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { RATES } from "@/features/keys/draft";
import { Button, IconButton } from "@/shared/Button";
import { CheckField, Problems, SelectField, TextField } from "@/shared/Field";
import type { Channel } from "./api";
import type { Parts } from "./Connecting";
import { NATIVE_ITEM_CHOICES, type NativeItems } from "./draft";

export function ModelFields({ draft, change, problem }: Parts) {
  const { t } = useTranslation("channels");
  const id = useId();
  const rename = (index: number, part: Partial<{ from: string; to: string }>) =>
    change({ renames: draft.renames.map((each, at) => (at === index ? { ...each, ...part } : each)) });
  return (
    <div className="space-y-4">
      <div>
        <label htmlFor={id} className="mb-1 block text-[13px] font-medium">
          {t("modelList")}
        </label>
        <textarea
          id={id}
          rows={Math.min(8, draft.models.split("\n").length + 1)}
          className="field font-mono text-[13px]"
          spellCheck={false}
          aria-invalid={problem("models") !== undefined}
          aria-describedby={`${id}-hint`}
          value={draft.models}
          onChange={(event) => change({ models: event.target.value })}
        />
        <p id={`${id}-hint`} className="mt-1 text-[13px] text-soft">
          {problem("models") !== undefined && <span className="text-bad">✕ {problem("models")} </span>}
          {t("modelHint")}
        </p>
      </div>
      <fieldset className="space-y-2">
        <legend className="text-[13px] font-medium">{t("renames")}</legend>
        <p className="text-[13px] text-soft">{t("renamesHint")}</p>
        {draft.renames.map((each, index) => (
          <div key={index} className="flex items-center gap-2">
            <input
              aria-label={t("renameFrom")}
              placeholder={t("renameFrom")}
              className="field font-mono text-[13px]"
              value={each.from}
              onChange={(event) => rename(index, { from: event.target.value })}
            />
            <span aria-hidden>→</span>
            <input
              aria-label={t("renameTo")}
              placeholder={t("renameTo")}
              className="field font-mono text-[13px]"
              value={each.to}
              onChange={(event) => rename(index, { to: event.target.value })}
            />
            <IconButton
              label={t("removeRename")}
              onClick={() => change({ renames: draft.renames.filter((_, at) => at !== index) })}
            >
              <X size={15} aria-hidden />
            </IconButton>
          </div>
        ))}
        <Problems fields={["renames"]} problem={problem} />
        <Button
          isSmall
          icon={<Plus size={14} aria-hidden />}
          onClick={() => change({ renames: [...draft.renames, { from: "", to: "" }] })}
        >
          {t("addRename")}
        </Button>
      </fieldset>
    </div>
  );
}

export function Limits({ draft, change, problem }: Parts) {
  const { t } = useTranslation(["channels", "app"]);
  const others = ["weight", "handshakeRate", "handshakeBurst"] as const;
  return (
    <div className="grid gap-4 sm:grid-cols-3">
      {RATES.map((name) => (
        <TextField
          key={name}
          label={t(`fields.${name}`)}
          type="number"
          min={1}
          value={draft[name]}
          placeholder={t("app:unlimited")}
          problem={problem(`rates.${name}`)}
          onChange={(event) => change({ [name]: event.target.value })}
        />
      ))}
      {others.map((name) => (
        <TextField
          key={name}
          label={t(`fields.${name}`)}
          hint={t(`hints.${name}`)}
          type="number"
          step="any"
          min={0}
          value={draft[name]}
          problem={problem(name)}
          onChange={(event) => change({ [name]: event.target.value })}
        />
      ))}
    </div>
  );
}

export function Travel({ draft, change, problem, channel }: Parts & { channel: Channel | undefined }) {
  const { t } = useTranslation("channels");
  const texts = ["tags", "organization", "project", "tlsCa"] as const;
  const header = (index: number, part: Partial<ChannelHeader>) =>
    change({ headers: draft.headers.map((each, at) => (at === index ? { ...each, ...part } : each)) });
  return (
    <div className="space-y-4">
      <div className="grid gap-4 sm:grid-cols-2">
        {texts.map((name) => (
          <TextField
            key={name}
            label={t(`fields.${name}`)}
            hint={t(`hints.${name}`)}
            value={draft[name]}
            problem={problem(name)}
            onChange={(event) => change({ [name]: event.target.value })}
          />
        ))}
        <TextField
          label={t("fields.proxy")}
          isMono
          placeholder={channel?.proxy || "http://user:password@host:3128"}
          inherited={draft.proxy === undefined && channel?.proxy ? t("proxyKept", { proxy: channel.proxy }) : undefined}
          hint={t("hints.proxy")}
          value={draft.proxy ?? ""}
          problem={problem("proxy")}
          onChange={(event) => change({ proxy: event.target.value })}
        />
      </div>
      <SelectField
        label={t("fields.nativeItems")}
        hint={t("hints.nativeItems")}
        value={draft.nativeItems}
        problem={problem("nativeItems")}
        options={NATIVE_ITEM_CHOICES.map((value) => ({ value, label: t(`nativeItems.${value}`) }))}
        onChange={(event) => change({ nativeItems: event.target.value as NativeItems })}
      />
      <CheckField
        label={t("tlsVerify")}
        hint={t("tlsVerifyHint")}
        checked={draft.tlsVerify}
        onChange={(event) => change({ tlsVerify: event.target.checked })}
      />
      <fieldset className="space-y-2">
        <legend className="text-[13px] font-medium">{t("fields.headers")}</legend>
        <p className="text-[13px] text-soft">{t("headersHint")}</p>
        {draft.headers.map((each, index) => (
          <div key={index}>
            <div className="flex items-center gap-2">
              <input
                aria-label={t("headerName")}
                placeholder="x-team"
                className="field font-mono text-[13px]"
                value={each.name}
                readOnly={each.isKept}
                onChange={(event) => header(index, { name: event.target.value })}
              />
              <input
                aria-label={t("headerValue")}
                type="password"
                autoComplete="new-password"
                placeholder={each.isKept ? "••••••" : ""}
                className="field font-mono text-[13px]"
                value={each.value}
                onChange={(event) => header(index, { value: event.target.value, isKept: false })}
              />
              <IconButton
                label={t("removeHeader")}
                onClick={() => change({ headers: draft.headers.filter((_, at) => at !== index) })}
              >
                <X size={15} aria-hidden />
              </IconButton>
            </div>
            <Problems fields={["name", "value"]} problem={(field) => problem(`headers.${index}.${field}`)} />
          </div>
        ))}
        <Button
          isSmall
          icon={<Plus size={14} aria-hidden />}
          onClick={() => change({ headers: [...draft.headers, { name: "", value: "", isKept: false }] })}
        >
          {t("addHeader")}
        </Button>
      </fieldset>
    </div>
  );
}

type ChannelHeader = Parts["draft"]["headers"][number];
