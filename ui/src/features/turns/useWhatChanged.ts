/** What changed of a turn, in sentences of the page's language. */
import { useTranslation } from "react-i18next";
import { changeOf } from "./changed";

const EDITED = /^(.*) (added|removed|reordered)$/;

export function useWhatChanged(): (text: string) => string {
  const { t } = useTranslation("turns");
  const property = (text: string) => {
    const [, name, edit] = EDITED.exec(text) ?? [];
    return edit === undefined ? text : t(`propertyEdits.${edit as "added" | "removed" | "reordered"}`, { name, interpolation: { escapeValue: false } });
  };
  return (text) => {
    const { item, properties } = changeOf(text);
    const bare = t(`kinds.${item?.kind ?? ""}`, { defaultValue: item?.kind ?? "" });
    const kind = item?.isOfReply === true ? t("ofReply", { kind: bare }) : bare;
    const told = properties.split(", ").map(property).join(", ");
    return [
      item === null ? "" : item.edit === "later" ? t("changeOfLater", { ...item }) : t("changeOfItem", { ...item, kind, edit: t(`edits.${item.edit}`) }),
      properties === "" ? "" : t("changeOfProperties", { properties: told, interpolation: { escapeValue: false } }),
    ].filter((each) => each !== "").join(" ");
  };
}
