/** The trial of the channel: it begins by itself once one is made here. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { channelQuery } from "@/features/channels/api";
import { Trial } from "@/features/channels/TestPanel";
import { looksOf } from "@/shared/Button";
import { noteTested } from "./progress";

export function TestStep({ channelID, isFresh, onTested }: { channelID: string | undefined; isFresh: boolean; onTested: () => void }) {
  const { t } = useTranslation("start");
  const mayWrite = useMay("channels:write");
  const channel = useQuery({ ...channelQuery(channelID ?? ""), enabled: channelID !== undefined }).data?.channel;
  if (channel === undefined || !mayWrite) return <p className="text-soft">{t("test.needs")}</p>;
  return (
    <div className="max-w-xl space-y-3">
      <Trial
        key={channel.id}
        channel={channel}
        startsAtOnce={isFresh}
        onTested={(tested) => {
          if (!tested.success) return;
          noteTested(channel.id);
          onTested();
        }}
      />
      <Link to="/channels/$channel/settings" params={{ channel: channel.id }} className={`${looksOf("quiet", true)} max-w-full text-left whitespace-normal! [overflow-wrap:anywhere]`}>
        {t("test.mend", { name: channel.name })}
      </Link>
    </div>
  );
}
