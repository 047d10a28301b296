import { useNavigate } from "@tanstack/react-router";
import { Archive, ArchiveRestore, CopyPlus, Pause, Play, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Confirm } from "@/shared/Dialog";
import { Menu, type MenuItem } from "@/shared/Menu";
import type { Channel } from "./api";
import { useChannelChanges } from "./changes";

const SIZE = 15;

export function ChannelMenu({ channel, onDeleted }: { channel: Channel; onDeleted?: () => void }) {
  const { t } = useTranslation(["channels", "app"]);
  const mayWrite = useMay("channels:write");
  const navigate = useNavigate();
  const { setting, deleting } = useChannelChanges();
  const [asks, setAsks] = useState(false);
  if (!mayWrite) return null;
  const set = (status: Channel["status"]) => () => setting.mutate({ channel, status });
  const duplicate: MenuItem = {
    label: t("duplicate"),
    icon: <CopyPlus size={SIZE} aria-hidden />,
    run: () => void navigate({ to: "/channels/new", search: { from: channel.id } }),
  };
  const own: MenuItem[] =
    channel.status === "ARCHIVED"
      ? [{ label: t("restore"), icon: <ArchiveRestore size={SIZE} aria-hidden />, run: set("DISABLED") }]
      : [
          channel.status === "ENABLED"
            ? { label: t("disable"), icon: <Pause size={SIZE} aria-hidden />, run: set("DISABLED") }
            : { label: t("enable"), icon: <Play size={SIZE} aria-hidden />, run: set("ENABLED") },
          { label: t("archive"), icon: <Archive size={SIZE} aria-hidden />, run: set("ARCHIVED") },
        ];
  const remove: MenuItem = {
    label: t("app:delete"),
    icon: <Trash2 size={SIZE} aria-hidden />,
    isDanger: true,
    run: () => setAsks(true),
  };
  const items = channel.managedBy === "FILE" ? [duplicate] : [duplicate, ...own, remove];
  return (
    <>
      <Menu label={`${t("app:actions")}: ${channel.name}`} items={items} />
      {asks && (
        <Confirm
          title={t("app:deleteTitle", { name: channel.name })}
          action={t("app:delete")}
          isBusy={deleting.isPending}
          onClose={() => setAsks(false)}
          onConfirm={() =>
            deleting.mutate(channel, {
              onSuccess: () => {
                setAsks(false);
                onDeleted?.();
              },
            })
          }
        >
          {t("deleteText")}
        </Confirm>
      )}
    </>
  );
}
