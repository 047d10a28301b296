import { useTranslation } from "react-i18next";
import type { EnumOf } from "@/api/graphql";
import { Badge, type Tone } from "@/shared/Badge";
import type { Channel } from "./api";

const TONES: Record<EnumOf<"Trust">, Tone> = { SOUND: "good", FAILING: "warn", RESTING: "bad" };

/** How a channel does: off, sound, failing, resting after failures, and why; and its WebSocket where that differs. */
export function HealthBadge({ channel }: { channel: Pick<Channel, "status" | "health"> }) {
  const { problem } = channel.health;
  return (
    <div>
      <StateBadge channel={channel} />
      {problem !== "" && <div className="max-w-56 text-xs text-soft">{problem}</div>}
    </div>
  );
}

function StateBadge({ channel }: { channel: Pick<Channel, "status" | "health"> }) {
  const { t } = useTranslation("channels");
  if (channel.status !== "ENABLED") return <Badge>{t(`status.${channel.status}`)}</Badge>;
  const { channel: trust, websocket } = channel.health;
  if (trust === null) return <Badge tone="bad">{t("health.NONE")}</Badge>;
  const wireFails = trust === "SOUND" && websocket !== null && websocket !== "SOUND";
  if (wireFails) return <Badge tone="warn">{t("health.wire")}</Badge>;
  return <Badge tone={TONES[trust]}>{t(`health.${trust}`)}</Badge>;
}

/** How turns travel: the transport of the responses API, everything inherited filled in. */
export function TransportBadge({ channel }: { channel: Pick<Channel, "defaultEndpoints"> }) {
  const { t } = useTranslation("app");
  const transport = channel.defaultEndpoints.find((each) => each.apiFormat === "responses")?.transport ?? "http";
  return (
    <Badge tone={transport === "http" ? "plain" : "good"} shape={false}>
      {transport === "websocket" ? "⇄ " : transport === "http" ? "→ " : "⇄→ "}
      {t(`transports.${transport}`, { defaultValue: transport })}
    </Badge>
  );
}
