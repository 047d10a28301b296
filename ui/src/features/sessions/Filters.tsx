import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { SessionState } from "@/api/words";
import { exhaustive } from "@/api/records";
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
        <Picked
          label={t("node")}
          all={t("allNodes")}
          value={search["node"]}
          options={nodes.map((name) => [name, name])}
          onPick={(value) => set("node", value)}
        />
      )}
      <Picked
        label={t("channel")}
        all={t("allChannels")}
        value={search["channel"]}
        options={[...channels]}
        onPick={(value) => set("channel", value)}
      />
      <Picked
        label={t("state")}
        all={t("allStates")}
        value={search["state"]}
        options={STATES.map((state) => [state, t(`states.${state}`)])}
        onPick={(value) => set("state", value)}
      />
    </div>
  );
}

interface PickedProps {
  label: string;
  all: string;
  value: string | undefined;
  options: readonly (readonly [value: string, name: string])[];
  onPick: (value: string) => void;
}

export function Picked({ label, all, value = "", options, onPick }: PickedProps) {
  return (
    <select aria-label={label} className="field !w-auto" value={value} onChange={(event) => onPick(event.target.value)}>
      <option value="">{all}</option>
      {/* What the address names and the list does not is kept, and shown. */}
      {value !== "" && !options.some(([each]) => each === value) && <option value={value}>{value}</option>}
      {options.map(([each, name]) => (
        <option key={each} value={each}>
          {name}
        </option>
      ))}
    </select>
  );
}
