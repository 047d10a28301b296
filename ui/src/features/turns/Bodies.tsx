import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Button } from "@/shared/Button";
import { Snippet } from "@/shared/Copy";
import { bytes } from "@/shared/format";
import { Failure, SkeletonRows } from "@/shared/states";
import { bodiesQuery } from "./api";

/** What was said, for who may read it; asked for on purpose only. */
export function Bodies({ id }: { id: string }) {
  const { t } = useTranslation("turns");
  const mayRead = useMay("bodies:read");
  const [isWanted, setWanted] = useState(false);
  const found = useQuery({ ...bodiesQuery(id), enabled: isWanted && mayRead });
  if (!mayRead) return null;
  return (
    <section aria-label={t("bodies")} className="space-y-3">
      <h3 className="font-semibold">{t("bodies")}</h3>
      {!isWanted && <Button onClick={() => setWanted(true)}>{t("showBodies")}</Button>}
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isLoading && <SkeletonRows rows={2} />}
      {found.data === null && <p className="text-soft">{t("noBodies")}</p>}
      {found.data != null && (
        <>
          <Body name={t("request")} text={found.data.request} />
          <Body name={t("response")} text={found.data.response} />
        </>
      )}
    </section>
  );
}

function Body({ name, text }: { name: string; text: string }) {
  const { t } = useTranslation("turns");
  const [isOpen, setOpen] = useState(true);
  const shown = useMemo(() => pretty(text), [text]);
  if (text === "") return <p className="text-soft">{t("noBody", { name })}</p>;
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="mb-2 font-medium">
        {name} <span className="font-normal text-soft">{bytes(new Blob([text]).size)}</span>
      </summary>
      {isOpen && <Snippet label={name} text={shown} />}
    </details>
  );
}

/** With lines and indents; what is no JSON stays as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
