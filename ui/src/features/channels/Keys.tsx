/** The keys of one upstream: how each does, and what share of the sessions it gets. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Badge } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { Confirm } from "@/shared/Dialog";
import { TextField } from "@/shared/Field";
import { Menu } from "@/shared/Menu";
import { Failure } from "@/shared/states";
import { addChannelKey, type Channel, channelQuery, removeChannelKey, updateChannelKey } from "./api";
import { TRUST_TONES } from "./HealthBadge";
import { nameOf, Resting } from "./Resting";

type Key = Channel["keys"][number];

export function Keys({ channel, onChanged }: { channel: Channel; onChanged: (from: number, to: number) => void }) {
  const { t } = useTranslation("channels");
  const queries = useQueryClient();
  const mayWrite = useMay("channels:write") && channel.managedBy !== "FILE";
  const changing = useMutation({
    mutationFn: (act: () => Promise<Channel>) => act(),
    onSuccess: (saved) => {
      onChanged(channel.revision, saved.revision);
      queries.setQueryData(channelQuery(saved.id).queryKey, { channel: saved });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["channels", "list"] }),
  });
  const run = (act: () => Promise<Channel>) => changing.mutateAsync(act);
  return (
    <div className="space-y-4">
      <p className="text-[13px] text-soft">{t("keys.hint")}</p>
      <ul className="space-y-3">
        {channel.keys.map((each) => (
          <Row key={each.id} channel={channel} one={each} mayWrite={mayWrite} run={run} />
        ))}
      </ul>
      {mayWrite && <Add channel={channel} run={run} isBusy={changing.isPending} />}
      {changing.isError && <Failure error={changing.error} />}
    </div>
  );
}

type Run = (act: () => Promise<Channel>) => Promise<Channel>;

function Row({ channel, one, mayWrite, run }: { channel: Channel; one: Key; mayWrite: boolean; run: Run }) {
  const { t } = useTranslation(["channels", "app"]);
  const [asks, setAsks] = useState(false);
  const name = nameOf(one);
  const toggle = () => void run(() => updateChannelKey(channel, one.id, { isEnabled: !one.isEnabled }));
  const own = one.id === "own";
  return (
    <li className="border-b border-line pb-3 last:border-0 last:pb-0">
      <div className="flex items-start justify-between gap-2">
        <div className="min-w-0">
          <p className="truncate font-mono text-[13px]">{name}</p>
          <p className="text-[13px] text-soft">{own ? t("keys.own") : t("keys.weight", { weight: one.weight })}</p>
        </div>
        <span className="flex items-center gap-1">
          <State one={one} />
          {mayWrite && (
            <Menu
              label={`${t("app:actions")}: ${name}`}
              items={[
                ...(own ? [] : [{ label: one.isEnabled ? t("disable") : t("enable"), run: toggle }]),
                { label: t("keys.remove"), isDanger: true, run: () => setAsks(true) },
              ]}
            />
          )}
        </span>
      </div>
      {one.problem !== "" && <p className="text-[13px] text-bad">✕ {one.problem}</p>}
      {one.resting !== null && (
        <p className="text-[13px] text-soft">
          <Resting rests={one.resting} />
        </p>
      )}
      {one.requests !== null && (
        <p className="text-[13px] text-soft">{t("keys.requests", { percent: Math.round(one.requests.usedPercent) })}</p>
      )}
      {one.tokens !== null && (
        <p className="text-[13px] text-soft">{t("keys.tokens", { percent: Math.round(one.tokens.usedPercent) })}</p>
      )}
      {asks && (
        <Confirm
          title={t("keys.removeTitle", { name })}
          action={t("keys.remove")}
          onClose={() => setAsks(false)}
          onConfirm={() => {
            setAsks(false);
            void run(() => removeChannelKey(channel, one.id));
          }}
        >
          {t("keys.removeText")}
        </Confirm>
      )}
    </li>
  );
}

function State({ one }: { one: Key }) {
  const { t } = useTranslation("channels");
  if (!one.isEnabled) return <Badge>{t("status.DISABLED")}</Badge>;
  return one.trust !== null && <Badge tone={TRUST_TONES[one.trust]}>{t(`health.${one.trust}`)}</Badge>;
}

function Add({ channel, run, isBusy }: { channel: Channel; run: Run; isBusy: boolean }) {
  const { t } = useTranslation("channels");
  const [typed, setTyped] = useState({ key: "", label: "", weight: "1" });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const input = { label: typed.label.trim(), weight: Number(typed.weight) };
    void run(() => addChannelKey(channel, typed.key, input)).then(() => setTyped({ key: "", label: "", weight: "1" }), () => undefined);
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-3">
      <TextField
        label={t("keys.key")}
        type="password"
        isMono
        autoComplete="new-password"
        value={typed.key}
        onChange={(event) => setTyped({ ...typed, key: event.target.value })}
      />
      <div className="grid grid-cols-[2fr_1fr] gap-3">
        <TextField label={t("keys.label")} value={typed.label} onChange={(event) => setTyped({ ...typed, label: event.target.value })} />
        <TextField
          label={t("fields.weight")}
          type="number"
          min={0}
          step="any"
          value={typed.weight}
          onChange={(event) => setTyped({ ...typed, weight: event.target.value })}
        />
      </div>
      <Button type="submit" icon={<Plus size={15} aria-hidden />} isBusy={isBusy} disabled={typed.key.trim() === ""}>
        {t("keys.add")}
      </Button>
    </form>
  );
}
