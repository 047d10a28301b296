import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { SessionState } from "@/api/words";
import { exhaustive } from "@/api/records";
import type { LiveSession } from "./live";

const route = getRouteApi("/shell/sessions");
const STATES = exhaustive<SessionState>({ leased: true, idle: true, dialing: true });

export function Filters({ sessions }: { sessions: readonly LiveSession[] }) {
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
      <select
        aria-label={t("channel")}
        className="field !w-auto"
        value={search["channel"] ?? ""}
        onChange={(event) => set("channel", event.target.value)}
      >
        <option value="">{t("allChannels")}</option>
        {[...channels].map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label={t("state")}
        className="field !w-auto"
        value={search["state"] ?? ""}
        onChange={(event) => set("state", event.target.value)}
      >
        <option value="">{t("allStates")}</option>
        {STATES.map((state) => (
          <option key={state} value={state}>
            {t(`states.${state}`)}
          </option>
        ))}
      </select>
    </div>
  );
}
