/** What is done with a channel from its menu: at once on the page, and undone where it can be. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { tell } from "@/shared/toasts";
import { type Channel, channelQuery, channelsQuery, deleteChannel, setChannelStatus, type Status } from "./api";

export function useChannelChanges() {
  const { t } = useTranslation(["channels", "app"]);
  const queries = useQueryClient();
  const renew = () => {
    void queries.invalidateQueries({ queryKey: ["channels"] });
    void queries.invalidateQueries({ queryKey: ["names"] });
  };
  const show = (id: string, status: Status) => {
    for (const withArchived of [true, false]) {
      queries.setQueryData(channelsQuery(withArchived).queryKey, (before) =>
        before === undefined
          ? before
          : { channels: { nodes: before.channels.nodes.map((each) => (each.id === id ? { ...each, status } : each)) } },
      );
    }
  };
  const setting = useMutation({
    mutationFn: (change: { channel: Channel; status: Status; isUndo?: boolean }) =>
      setChannelStatus(change.channel.id, change.channel.revision, change.status),
    onMutate: ({ channel, status }) => show(channel.id, status),
    onError: (_error, { channel }) => show(channel.id, channel.status),
    onSuccess: (changed, { channel, isUndo }) => {
      queries.setQueryData(channelQuery(channel.id).queryKey, { channel: changed });
      if (isUndo) return;
      tell(t(`told.${changed.status}`, { name: changed.name }), {
        action: {
          label: t("app:undo"),
          run: () => setting.mutate({ channel: changed, status: channel.status, isUndo: true }),
        },
      });
    },
    onSettled: renew,
  });
  const deleting = useMutation({
    mutationFn: (channel: Channel) => deleteChannel(channel.id, channel.revision),
    onSuccess: (_done, channel) => tell(t("app:deleted", { name: channel.name })),
    onSettled: renew,
  });
  return { setting, deleting };
}
