import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { SessionState } from "@/api/words";
import { exhaustive } from "@/api/records";
import { Picker } from "@/shared/Picker";
import type { LiveSession } from "./live";

const route = getRouteApi("/shell/sessions");
const STATES = exhaustive<SessionState>({ leased: true, idle: true, dialing: true });

export function Filters({ sessions, nodes }: { sessions: readonly LiveSession[]; nodes: readonly string[] }) {
  const { t } = useTranslation("sessions");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const channels = new Map(sessions.map((each) => [each.channelID, each.channel]));
  const set = (name: string, value: string) =>
    void navigate({
      search: ({ [name]: _, ...rest }) => (value === "" ? rest : { ...rest, [name]: value }),
      replace: true,
    });
  return (
    <div className="flex flex-wrap gap-2">
      <input
        type="search"
        aria-label={t("search")}
        placeholder={t("search")}
        className="field !w-56"
        value={search["text"] ?? ""}
        onChange={(event) => set("text", event.target.value)}
      />
      {nodes.length > 1 && (
        <Picker
          label={t("node")}
          any={t("allNodes")}
          value={search["node"]}
          options={nodes.map((name) => ({ value: name, label: name }))}
          onPick={(value) => set("node", value)}
        />
      )}
      <Picker
        label={t("channel")}
        any={t("allChannels")}
        value={search["channel"]}
        options={[...channels].map(([value, label]) => ({ value, label }))}
        onPick={(value) => set("channel", value)}
      />
      <Picker
        label={t("state")}
        any={t("allStates")}
        value={search["state"]}
        options={STATES.map((value) => ({ value, label: t(`states.${value}`) }))}
        onPick={(value) => set("state", value)}
      />
    </div>
  );
}
