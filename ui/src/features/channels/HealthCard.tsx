/** Whether turns go to a channel, and if not why, since when and until when: in words, with the mend. */
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useNow } from "@/shared/clock";
import { useFormat } from "@/shared/format";
import { Card } from "@/shared/Page";
import { TurnsLink } from "@/shared/TurnsLink";
import type { Channel, ChannelFailure } from "./api";
import { Resting, RestingKeys } from "./Resting";

interface Props {
  channel: Channel;
  /** Undefined while it is not known, null for never. */
  lastServed: string | null | undefined;
}

export function HealthCard({ channel, lastServed }: Props) {
  const { t } = useTranslation(["channels", "turns"]);
  const { health } = channel;
  const failure = health.cause ?? health.lastFailure;
  const trouble = health.cause?.trouble ?? "";
  const places = health.nodes.filter((each) => each.cause !== null || each.resting !== null);
  return (
    <Card title={t("healthTitle")}>
      <div className="space-y-2">
        <p>{health.resting === null ? t(channel.status === "ENABLED" ? "rests.NONE" : "rests.OFF") : <Resting rests={health.resting} />}</p>
        {health.websocketResting !== null && (
          <p>
            {t("rests.wire")} <Resting rests={health.websocketResting} />
          </p>
        )}
        <RestingKeys keys={channel.keys} />
        {trouble !== "" && (
          <p>
            <strong className="font-medium">{t(`turns:troubles.${trouble}`, { defaultValue: health.problem })}</strong>{" "}
            {t(`mend.${trouble}`, { defaultValue: "" })}
          </p>
        )}
      </div>
      <dl className="mt-3 grid grid-cols-1 gap-x-5 gap-y-1.5 sm:grid-cols-[auto_1fr]">
        <dt className="text-soft">{t("lastServed")}</dt>
        <dd>{lastServed === undefined ? "…" : lastServed === null ? t("never") : <At time={lastServed} />}</dd>
        <dt className="text-soft">{t("lastError")}</dt>
        <dd className="min-w-0">{failure === null ? t("noError") : <Failed failure={failure} />}</dd>
        {places.map((each) => (
          <div key={each.node} className="contents">
            <dt className="text-soft">{t("atNode", { node: each.node })}</dt>
            <dd className="min-w-0">
              {each.resting !== null && <Resting rests={each.resting} />}
              {each.cause !== null && <Failed failure={each.cause} />}
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Failed({ failure }: { failure: ChannelFailure }) {
  const { t } = useTranslation("channels");
  const mayRead = useMay("bodies:read");
  return (
    <>
      <At time={failure.at} /> · <code className="font-mono text-[13px]">{`${failure.status} ${failure.code}`}</code>
      {failure.node !== "" && ` · ${t("atNode", { node: failure.node })}`}
      <span className="block break-words">{mayRead ? failure.message : t("messageHidden")}</span>
      {failure.turnID !== "" && (
        <TurnsLink search={{ open: failure.turnID }} className="underline">
          {t("itsTurn")}
        </TurnsLink>
      )}
    </>
  );
}

function At({ time }: { time: string }) {
  const format = useFormat();
  const now = useNow();
  return <time dateTime={time}>{`${format.dateTime(time)} (${format.ago(time, now)})`}</time>;
}
