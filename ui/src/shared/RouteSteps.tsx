/** Why a turn goes where it goes: who may serve it, in the order of trying, and why each other one may not. */
import { useTranslation } from "react-i18next";
import type { Route } from "@/api/models";
import { Badge, Mono } from "./Badge";

type Step = Route["steps"][number];

export function RouteSteps({ route }: { route: Route }) {
  const { t } = useTranslation();
  const isOneOfSeveral = ({ channelID, model }: Step) =>
    route.steps.filter((each) => each.channelID === channelID && each.model === model).length > 1;
  return (
    <div className="space-y-2">
      {route.problem !== "" && (
        <p className="rounded-xl bg-bad-wash px-4 py-3 text-[13px] break-words text-bad">
          <span aria-hidden>✕ </span>
          {route.problem}
        </p>
      )}
      {route.steps.length > 0 && (
        <ol className="divide-y divide-line rounded-xl border border-line">
          {route.steps.map((step, index) => (
            <li key={index} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
              <Badge tone={!step.isAccepted ? "bad" : step.seconds > 0 ? "warn" : "good"}>
                {t(step.isAccepted ? "route.accepted" : "route.refused")}
              </Badge>
              <span className="min-w-0 font-medium break-words">{step.channelName}</span>
              {step.model !== "" && <Mono className="break-all">{step.model}</Mono>}
              {/* Keys and accounts of one channel are told apart. */}
              {isOneOfSeveral(step) && <Mono className="break-all text-soft">{step.accountID}</Mono>}
              <span className="w-full text-[13px] text-soft">
                <Reason step={step} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function Reason({ step: { isAccepted, reason, detail, seconds } }: { step: Step }) {
  const { t } = useTranslation();
  const words = t(`route.${isAccepted ? "standings" : "refusals"}.${reason}`, { defaultValue: reason });
  const of = detail === "" ? "" : t(`route.details.${detail}`, { defaultValue: detail });
  return (
    <>
      {words}
      {of !== "" && ` (${of})`}
      {seconds > 0 && ` · ${t("route.seconds", { seconds })}`}
    </>
  );
}
