import { useTranslation } from "react-i18next";
import type { EnumOf } from "@/api/graphql";
import { Badge, type Tone } from "@/shared/Badge";
import type { Channel } from "./api";

const TONES: Record<EnumOf<"Trust">, Tone> = { SOUND: "good", FAILING: "warn", RESTING: "bad" };

type Health = Channel["health"];

/** How a channel does: off, sound, failing, resting after failures, and why; and its WebSocket and nodes where those differ. */
export function HealthBadge({ channel: { status, health } }: { channel: Pick<Channel, "status" | "health"> }) {
  const { t } = useTranslation("channels");
  if (status !== "ENABLED") return <Badge>{t(`status.${status}`)}</Badge>;
  return (
    <div>
      <TrustBadge health={health} />
      {health.nodes.length === 0 && <Problem text={health.problem} />}
      {health.nodes.length > 0 && (
        <ul aria-label={t("healthOfNodes")} className="mt-1 space-y-1">
          {health.nodes.map((each) => (
            <li key={each.node}>
              <span className="mr-1.5 text-xs">{each.node}</span>
              <TrustBadge health={each} />
              <Problem text={each.problem} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Problem({ text }: { text: string }) {
  return text !== "" && <div className="max-w-56 text-xs text-soft">{text}</div>;
}

function TrustBadge({ health: { channel: trust, websocket } }: { health: Pick<Health, "channel" | "websocket"> }) {
  const { t } = useTranslation("channels");
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
