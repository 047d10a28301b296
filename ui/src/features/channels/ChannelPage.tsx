import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Card, Page, TAB } from "@/shared/Page";
import { Badge } from "@/shared/Badge";
import { Failure, SkeletonRows } from "@/shared/states";
import { type Channel, channelQuery } from "./api";
import { ChannelForm, type Passed } from "./ChannelForm";
import { ChannelMenu } from "./ChannelMenu";
import { ChannelOverview } from "./ChannelOverview";
import { copyOf, draftOf, NEW_CHANNEL } from "./draft";
import { HealthBadge } from "./HealthBadge";
import { Keys } from "./Keys";
import { TestPanel } from "./TestPanel";
import { GuideLink } from "@/features/start/GuideLink";
import { Accounts } from "./codex/Accounts";

const one = getRouteApi("/shell/channels/$channel");
const settings = getRouteApi("/shell/channels/$channel/settings");
const fresh = getRouteApi("/shell/channels/new");

export function NewChannelPage() {
  const { t } = useTranslation("channels");
  const { from, type } = fresh.useSearch();
  const source = useQuery({ ...channelQuery(from ?? ""), enabled: from !== undefined });
  const navigate = useNavigate();
  const initial = source.data === undefined ? NEW_CHANNEL : copyOf(source.data.channel);
  return (
    <Page title={t("add")} lead={t("addLead")}>
      {source.isError && <Failure error={source.error} />}
      {from !== undefined && source.isPending ? (
        <SkeletonRows />
      ) : (
        <ChannelForm
          initial={type === "codex" ? { ...initial, type } : initial}
          draftKey={`channel-new-${from ?? ""}`}
          onSaved={(channel) =>
            void navigate({ to: "/channels/$channel/settings", params: { channel: channel.id }, replace: true })
          }
        />
      )}
    </Page>
  );
}

/** How it does. */
export function ChannelPage() {
  const { channel: id } = one.useParams();
  return <Framed id={id}>{(channel) => <ChannelOverview channel={channel} />}</Framed>;
}

/** How it is set up, and its test. */
export function ChannelSettingsPage() {
  const { t } = useTranslation("channels");
  const { channel: id } = settings.useParams();
  const [passed, setPassed] = useState<Passed>();
  const change = (from: number, to: number) =>
    setPassed((before) => (before?.to === from ? { from: before.from, to } : { from, to }));
  return (
    <Framed id={id}>
      {(channel) => (
        <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_24rem]">
          <ChannelForm
            key={channel.id}
            channel={channel}
            initial={draftOf(channel)}
            draftKey={`channel-${channel.id}`}
            passed={passed}
          />
          <div className="space-y-5">
            <TestPanel channel={channel} />
            {channel.type !== "codex" && (
              <Card title={t("keys.title")}>
                <Keys channel={channel} onChanged={change} />
              </Card>
            )}
            {channel.type === "codex" && (
              <Card title={t("accounts.title")}>
                <Accounts channelID={channel.id} />
              </Card>
            )}
          </div>
        </div>
      )}
    </Framed>
  );
}

function Framed({ id, children }: { id: string; children: (channel: Channel) => ReactNode }) {
  const { t } = useTranslation(["channels", "app"]);
  const found = useQuery(channelQuery(id));
  const navigate = useNavigate();
  const channel = found.data?.channel;
  if (channel === undefined) {
    return (
      <Page title={t("title")}>
        {found.isError ? <Failure error={found.error} onRetry={() => void found.refetch()} /> : <SkeletonRows />}
      </Page>
    );
  }
  return (
    <Page
      title={channel.name}
      actions={
        <>
          <GuideLink />
          <HealthBadge channel={channel} isShort />
          {channel.managedBy === "FILE" && <Badge>{t("app:managedByFile")}</Badge>}
          <ChannelMenu channel={channel} onDeleted={() => void navigate({ to: "/channels" })} />
        </>
      }
    >
      <Tabs id={id} />
      {children(channel)}
    </Page>
  );
}

function Tabs({ id }: { id: string }) {
  const { t } = useTranslation("channels");
  const exactly = { exact: true, includeSearch: false };
  return (
    <nav aria-label={t("views")} className="flex flex-wrap gap-1">
      <Link to="/channels/$channel" params={{ channel: id }} activeOptions={exactly} className={TAB}>
        {t("overview.title")}
      </Link>
      <Link to="/channels/$channel/settings" params={{ channel: id }} activeOptions={exactly} className={TAB}>
        {t("settings")}
      </Link>
    </nav>
  );
}
