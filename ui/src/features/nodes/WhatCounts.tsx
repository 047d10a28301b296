/** What all nodes count together, and what each counts by itself. */
import { useTranslation } from "react-i18next";
import type { Nodes } from "@/api/nodes";
import { exhaustive } from "@/api/records";
import { Badge } from "@/shared/Badge";
import type { Texts } from "@/shared/i18n/texts";
import { Card } from "@/shared/Page";
import { countingAlone } from "./presence";

type Counted = keyof Texts["nodes"]["counted"];
const COUNTED = exhaustive<Counted>({ limits: true, homes: true, pace: true, sign_in_throttle: true });

export function WhatCounts({ fleet }: { fleet: Nodes }) {
  const { t } = useTranslation("nodes");
  return (
    <Card title={t("counts.title")}>
      <dl className="grid gap-x-6 gap-y-4 sm:grid-cols-2">
        {COUNTED.map((what) => (
          <div key={what}>
            <dt className="mb-0.5 font-medium">{t(`counted.${what}.name`)}</dt>
            <dd>
              <Place fleet={fleet} what={what} />
            </dd>
            <dd className="mt-0.5 text-[13px] text-soft">{t(`counted.${what}.text`)}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Place({ fleet, what }: { fleet: Nodes; what: Counted }) {
  const { t } = useTranslation("nodes");
  if (!fleet.isShared) return <Badge>{t("counts.process")}</Badge>;
  const alone = countingAlone(fleet.nodes, what);
  if (alone.length === 0) return <Badge tone="good">{t("counts.valkey")}</Badge>;
  return <Badge tone="warn">{alone.length < fleet.nodes.length ? t("counts.some", { names: alone.join(", ") }) : t("counts.each")}</Badge>;
}
