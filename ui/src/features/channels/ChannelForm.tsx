/** The editor of a channel: what is typed is looked at by the gateway while it is typed. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, isConflict } from "@/api/errors";
import { useMay } from "@/api/me";
import { Button } from "@/shared/Button";
import { useSettled } from "@/shared/clock";
import { Conflict } from "@/shared/Conflict";
import { useDraft } from "@/shared/draft";
import { TextField } from "@/shared/Field";
import { Card } from "@/shared/Page";
import { Failure, isOfFields } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { type Channel, channelQuery, createChannel, draftQuery, profileQuery, updateChannel } from "./api";
import { Apis } from "./Apis";
import { Connecting } from "./Connecting";
import { differences } from "./differences";
import { type ChannelDraft, draftOf, inputOf, offered, withoutSecrets } from "./draft";
import { Endpoints } from "./Endpoints";
import { Limits, ModelFields, Travel } from "./MoreFields";
import { Overrides } from "./Overrides";
import { Prices } from "./Prices";
import { problemsOf } from "./problems";
import { ProfileFields } from "./Profile";
import { Vendors } from "./Vendors";

/** Fields that stand in the part that is folded: what is wrong there opens it. */
const LIMITS = /^(tags|weight|organization|project|proxy|tls|headers|rates|handshake|nativeItems)/;

export interface Passed {
  from: number;
  to: number;
}

interface FormProps {
  channel?: Channel;
  initial: ChannelDraft;
  draftKey: string;
  /** A change of what the form does not have, such as the keys, from one revision to another. */
  passed?: Passed;
  onSaved?: (channel: Channel) => void;
}

export function ChannelForm({ channel, initial, draftKey, passed, onSaved }: FormProps) {
  const { t } = useTranslation(["channels", "app"]);
  const queries = useQueryClient();
  const mayWrite = useMay("channels:write") && channel?.managedBy !== "FILE";
  const draft = useDraft(draftKey, initial, withoutSecrets);
  const [revision, setRevision] = useState(channel?.revision ?? 0);
  const [theirs, setTheirs] = useState<Channel>();
  const [isTouched, setTouched] = useState(false);
  const isNew = channel === undefined;
  const input = inputOf(draft.value, isNew);
  const looked = useQuery({ ...draftQuery(channel?.id, useSettled(input)), enabled: mayWrite });
  const saving = useMutation({
    mutationFn: (at: number) => (channel === undefined ? createChannel(input) : updateChannel(channel.id, at, input)),
    meta: { isTold: true },
    onSuccess: (saved) => {
      setRevision(saved.revision);
      setTheirs(undefined);
      draft.discard(draftOf(saved));
      queries.setQueryData(channelQuery(saved.id).queryKey, { channel: saved });
      void queries.invalidateQueries({ queryKey: ["channels", "list"] });
      void queries.invalidateQueries({ queryKey: ["names"] });
      tell(t("app:saved"));
      onSaved?.(saved);
    },
    onError: async (error) => {
      if (!isConflict(error) || channel === undefined) return;
      const current = await queries.fetchQuery({ ...channelQuery(channel.id), staleTime: 0 });
      setTheirs(current.channel);
    },
  });
  // What the gateway says of a draft is shown once there is something to say it of.
  const refused = saving.error instanceof ApiError ? saving.error.fields : [];
  const told = isNew && !isTouched ? refused : [...refused, ...(looked.data?.channelDraft.problems ?? [])];
  const problems = problemsOf(told, draft.value);
  // Saving and looking at a draft may both tell of the same field.
  const wrong = new Set(told.map((each) => each.field)).size;
  const change = (part: Partial<ChannelDraft>) => {
    setTouched(true);
    if (saving.isError) saving.reset();
    draft.change(part);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTouched(true);
    saving.mutate(passed?.from === revision ? passed.to : revision);
  };
  const shown = useQuery(profileQuery(channel?.id, !mayWrite)).data;
  const common = { draft: draft.value, change, problem: problems };
  const dialled = looked.data?.channelDraft.endpoints ?? channel?.defaultEndpoints ?? [];
  return (
    <form onSubmit={submit} noValidate className="min-w-0">
      <fieldset disabled={!mayWrite} className="min-w-0 space-y-5">
        {draft.isRestored && draft.isChanged && (
          <p role="status" className="rounded-lg bg-accent-wash px-3 py-2">
            {t("app:restored")}
          </p>
        )}
        <Card>
          <div className="space-y-5">
            {isNew && <Vendors draft={draft.value} change={change} />}
            <TextField
              label={t("name")}
              hint={t("nameHint")}
              required
              isMono
              value={draft.value.name}
              problem={problems("name")}
              onChange={(event) => change({ name: event.target.value })}
            />
            <Connecting {...common} channel={channel} />
          </div>
        </Card>
        <Card title={t("apis.card")}>
          <div className="space-y-5">
            <Apis {...common} />
            {offered(draft.value).includes("chat_completions") && (
              <ProfileFields {...common} inForce={mayWrite ? looked.data?.channelDraft.profile : shown} />
            )}
          </div>
        </Card>
        <Card title={t("endpoints.title")}>
          <Endpoints {...common} dialled={dialled} isLooking={looked.isFetching} />
        </Card>
        <Card title={t("models")}>
          <div className="space-y-5">
            <ModelFields {...common} />
            <Prices {...common} channel={channel} />
          </div>
        </Card>
        <Card title={t("overrides.title")}>
          <Overrides {...common} channel={channel} />
        </Card>
        <details
          className="rounded-2xl border border-line bg-card shadow-card"
          open={told.some((each) => isTouched && LIMITS.test(each.field)) || undefined}
        >
          <summary className="px-5 py-4 font-semibold">{t("more")}</summary>
          <div className="space-y-6 px-5 pb-5">
            <Limits {...common} />
            <Travel {...common} channel={channel} />
          </div>
        </details>
      </fieldset>
      {mayWrite && (
        <div className="sticky bottom-0 z-10 -mx-4 mt-5 flex flex-wrap items-center gap-3 border-t border-line bg-paper px-4 py-3">
          <Button type="submit" look="main" isBusy={saving.isPending} disabled={!isNew && !draft.isChanged}>
            {isNew ? t("create") : t("app:save")}
          </Button>
          {draft.isChanged && (
            <Button look="quiet" onClick={() => draft.discard()}>
              {t("app:discard")}
            </Button>
          )}
          {wrong > 0 && isTouched && <span className="text-bad">{t("problems", { count: wrong })}</span>}
        </div>
      )}
      {saving.isError && !isConflict(saving.error) && !isOfFields(saving.error) && <Failure error={saving.error} />}
      {theirs !== undefined && (
        <Conflict
          differences={differences(draftOf(theirs), draft.value).map((each) => ({ ...each, field: t(`fields.${each.field}`) }))}
          isBusy={saving.isPending}
          onKeep={() => saving.mutate(theirs.revision)}
          onTake={() => {
            setRevision(theirs.revision);
            draft.discard(draftOf(theirs));
            setTheirs(undefined);
          }}
          onBack={() => setTheirs(undefined)}
        />
      )}
    </form>
  );
}
