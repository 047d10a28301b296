/** Why nothing is sent there, since when and until when: in a sentence. */
import { useTranslation } from "react-i18next";
import { useNow } from "@/shared/clock";
import { useFormat } from "@/shared/format";
import type { Channel, Rests } from "./api";

export function Resting({ rests }: { rests: Rests }) {
  const { t } = useTranslation("channels");
  const format = useFormat();
  const now = useNow();
  const times = { since: format.ago(rests.since, now), until: format.ago(rests.until, now) };
  const exactly = [rests.since, rests.until].filter((each) => each !== null).map((each) => format.dateTime(each));
  return (
    <span title={exactly.join(" – ")}>
      {t(`rests.${rests.why}`)}
      {rests.since !== null && ` · ${t("since", times)}`}
      {rests.until !== null && ` · ${t("until", times)}`}
    </span>
  );
}

type Key = Channel["keys"][number];

/** What a key is called: by its label, and by no more of itself than its last characters. */
export const nameOf = (key: Key) => (key.label === "" ? key.masked : `${key.label} ${key.masked}`);

/** Which keys rest, while others may serve. */
export function RestingKeys({ keys }: { keys: readonly Key[] }) {
  const { t } = useTranslation("channels");
  const resting = keys.filter((each) => each.isEnabled && each.resting !== null);
  if (resting.length === 0) return null;
  return (
    <div>
      <p>{t("keys.rest", { count: resting.length, all: keys.length })}</p>
      <ul className="mt-1 space-y-1">
        {resting.map((each) => (
          <li key={each.id}>
            <span className="mr-1.5 font-mono text-[13px]">{nameOf(each)}</span>
            {each.resting !== null && <Resting rests={each.resting} />}
          </li>
        ))}
      </ul>
    </div>
  );
}
