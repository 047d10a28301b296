import { useTranslation } from "react-i18next";
import type { EnumOf } from "@/api/graphql";
import { useNow } from "@/shared/clock";
import { useFormat } from "@/shared/format";
import { Badge, type Tone } from "@/shared/Badge";
import type { Channel } from "./api";

export const TRUST_TONES: Record<EnumOf<"Trust">, Tone> = { SOUND: "good", FAILING: "warn", RESTING: "bad" };

type Health = Channel["health"];

/** How a channel does: off, sound, failing, resting and until when, and why; and its WebSocket and nodes where those differ. */
export function HealthBadge({ channel: { status, health }, isShort = false }: { channel: Pick<Channel, "status" | "health">; isShort?: boolean }) {
  const { t } = useTranslation("channels");
  if (status !== "ENABLED") return <Badge>{t(`status.${status}`)}</Badge>;
  if (isShort) return <TrustBadge health={health} />;
  return (
    <div>
      <TrustBadge health={health} />
      {health.nodes.length === 0 && <Why health={health} />}
      {health.nodes.length > 0 && (
        <ul aria-label={t("healthOfNodes")} className="mt-1 space-y-1">
          {health.nodes.map((each) => (
            <li key={each.node}>
              <span className="mr-1.5 text-xs">{each.node}</span>
              <TrustBadge health={each} />
              <Why health={each} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Why it is not sound and until when; what its upstream said is a tooltip. */
function Why({ health: { problem, resting, cause } }: { health: Pick<Health, "problem" | "resting" | "cause"> }) {
  const { t } = useTranslation("channels");
  const format = useFormat();
  const now = useNow();
  const until = resting?.until;
  if (problem === "" && resting === null) return null;
  return (
    <div className="max-w-56 text-xs text-soft" title={cause === null ? undefined : `${cause.status} ${cause.code}: ${cause.message}`}>
      {problem}
      {cause !== null && ` (${cause.status} ${cause.code})`}
      {until !== null && until !== undefined && <span className="block">{t("until", { until: format.ago(until, now) })}</span>}
    </div>
  );
}

function TrustBadge({ health: { channel: trust, websocket, resting, websocketResting } }: { health: Pick<Health, "channel" | "websocket" | "resting" | "websocketResting"> }) {
  const { t } = useTranslation("channels");
  if (trust === null) return <Badge tone="bad">{t("health.NONE")}</Badge>;
  if (resting?.why === "LIMIT" || resting?.why === "SIGN_IN") return <Badge tone="bad">{t(`restsShort.${resting.why}`)}</Badge>;
  const wireFails = trust === "SOUND" && websocket !== null && websocket !== "SOUND";
  if (wireFails) return <Badge tone="warn">{t(websocketResting === null ? "health.wireFails" : "health.wire")}</Badge>;
  return <Badge tone={TRUST_TONES[trust]}>{t(`health.${trust}`)}</Badge>;
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
