/** What counts: kept in the address, and closed where nothing is chosen. */
import { getRouteApi } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { ALL_APIS, REASONS } from "@/api/words";
import { Button } from "@/shared/Button";
import { optionsOf } from "@/shared/Field";
import { FITTED, Picker } from "@/shared/Picker";
import { CONTINUED } from "./shares";
import { type Place, PLACES, whereOf } from "./where";

const route = getRouteApi("/shell/");

export function Filters() {
  const { t } = useTranslation(["overview", "app"]);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = useNames();
  const where = whereOf(search);
  const count = Object.keys(where).length;
  const set = (place: Place, value: string) =>
    void navigate({
      search: (before) => Object.fromEntries(Object.entries({ ...before, [place]: value }).filter(([, each]) => each !== "")),
      replace: true,
    });
  const clear = () =>
    void navigate({
      search: (before) => Object.fromEntries(Object.entries(before).filter(([name]) => !(PLACES as readonly string[]).includes(name))),
    });
  const reasons = [CONTINUED, ...REASONS];
  const options = {
    project: optionsOf(names.projects),
    channel: optionsOf(names.channels),
    key: optionsOf(names.keys),
    user: [...new Map(names.keys.flatMap(({ userID, userEmail }) => (userID === null ? [] : [[userID, userEmail]] as const)))].map(
      ([value, email]) => ({ value, label: email === "" ? value : email }),
    ),
    api: ALL_APIS.map((value) => ({ value, label: t(`app:apis.${value}`) })),
    reason: reasons.map((value) => ({ value, label: t(`app:reasonShort.${value}`, { defaultValue: value }) })),
  };
  const picked = (place: keyof typeof options) => (
    <Picker
      label={t(`anyOf.${place}`)}
      any={t(`anyOf.${place}`)}
      value={where[place]}
      options={options[place]}
      className={FITTED}
      onPick={(value) => set(place, value)}
    />
  );
  return (
    <details className="rounded-2xl border border-line bg-card px-4 py-2 shadow-card" open={count > 0 || undefined}>
      <summary className="cursor-pointer text-[13px] font-medium">
        {t("filters")}
        {count > 0 && ` (${count})`}
      </summary>
      <div className="grid grid-cols-2 gap-2 py-2 sm:flex sm:flex-wrap sm:items-center" role="search" aria-label={t("filters")}>
        {picked("project")}
        {picked("channel")}
        {picked("key")}
        {picked("user")}
        <Model
          label={t("anyOf.model")}
          held={where.model ?? ""}
          models={[...new Set(names.channels.flatMap((each) => each.models))].filter((each) => !each.includes("*"))}
          onChange={(value) => set("model", value)}
        />
        {picked("api")}
        {picked("reason")}
        {count > 0 && (
          <Button look="quiet" icon={<X size={14} aria-hidden />} onClick={clear}>
            {t("clear")}
          </Button>
        )}
      </div>
    </details>
  );
}

/** A model is typed, for channels may serve any; it counts once it is left or confirmed. */
function Model(props: { label: string; held: string; models: readonly string[]; onChange: (value: string) => void }) {
  const { label, held, models } = props;
  const id = useId();
  const [text, setText] = useState(held);
  const [seen, setSeen] = useState(held);
  if (held !== seen) {
    setSeen(held);
    setText(held);
  }
  const settle = () => {
    if (text.trim() !== held) props.onChange(text.trim());
  };
  return (
    <>
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        list={id}
        className={`field sm:!w-40 ${held === "" ? "" : "!border-accent font-medium"}`}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={settle}
        onKeyDown={(event) => {
          if (event.key === "Enter") settle();
        }}
      />
      <datalist id={id}>
        {models.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </>
  );
}
