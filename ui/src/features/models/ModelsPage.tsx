import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Badge, Mono, type Tone } from "@/shared/Badge";
import { AddButton } from "@/shared/Button";
import { UNKNOWN, useFormat } from "@/shared/format";
import { ListPage } from "@/shared/Listing";
import { RowMenu } from "@/shared/RowMenu";
import { Empty } from "@/shared/states";
import type { Column } from "@/shared/Table";
import { TurnsLink } from "@/shared/TurnsLink";
import { deleteModel, type Model, modelsQuery, type Target } from "./api";
import { ModelDialog } from "./ModelDialog";

const route = getRouteApi("/shell/public-models");

export function ModelsPage() {
  const { t } = useTranslation("models");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const mayWrite = useMay("channels:write");
  const found = useQuery(modelsQuery);
  const rows = found.data;
  const show = (part: Record<string, string>) => void navigate({ search: part });
  const columns = useColumns((model) => show({ model: model.id }));
  const opened = rows?.find((each) => each.id === search["model"]);
  const add = mayWrite && <AddButton onClick={() => show({ new: "1" })}>{t("create")}</AddButton>;
  return (
    <ListPage
      title={t("title")}
      lead={t("lead")}
      all={t("all")}
      add={add}
      found={found}
      rows={rows}
      columns={columns}
      empty={
        <Empty title={t("none")} action={add}>
          {t("noneText")}
        </Empty>
      }
    >
      {search["new"] !== undefined && mayWrite && <ModelDialog onClose={() => show({})} />}
      {opened !== undefined && <ModelDialog key={opened.id} model={opened} onClose={() => show({})} />}
    </ListPage>
  );
}

function useColumns(open: (model: Model) => void): Column<Model>[] {
  const { t } = useTranslation(["models", "app"]);
  const format = useFormat();
  return [
    {
      key: "name",
      title: t("name"),
      cell: (row) => (
        <div className="min-w-32">
          <button type="button" className="text-left font-medium break-all underline underline-offset-3" onClick={() => open(row)}>
            {row.name}
          </button>
          {!row.isEnabled && <Badge>{t("off")}</Badge>}
          {row.managedBy === "FILE" && <div className="text-[12.5px] text-soft">{t("app:managedByFile")}</div>}
          {row.description !== "" && <div className="line-clamp-2 max-w-md text-[12.5px] text-soft">{row.description}</div>}
        </div>
      ),
    },
    { key: "targets", title: t("targets"), cell: (row) => <Serving model={row} /> },
    {
      key: "turns",
      title: t("turns"),
      align: "right",
      isExtra: true,
      cell: (row) => (
        <TurnsLink search={{ model: row.name }} className="underline">
          {format.count(row.usage.turns)}
        </TurnsLink>
      ),
    },
    { key: "cost", title: t("cost"), align: "right", isExtra: true, cell: (row) => format.money(row.usage.costUsd) },
    { key: "menu", title: "", align: "right", cell: (row) => <ModelMenu model={row} onEdit={() => open(row)} /> },
  ];
}

/** Who serves it, in order, how each does and what it costs there. */
function Serving({ model }: { model: Model }) {
  const { t } = useTranslation("models");
  const targets = [...model.targets].sort((one, other) => one.order - other.order);
  return (
    <ol className="space-y-1">
      {targets.map((target, index) => (
        <li key={index} className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
          <span className="text-soft tabular-nums">{target.order}</span>
          <TargetServing target={target} />
        </li>
      ))}
      {model.fallbacks.map((name) => (
        <li key={name} className="text-soft">
          {t("else")} <Mono className="break-all">{name}</Mono>
        </li>
      ))}
    </ol>
  );
}

const TONES: Record<string, Tone> = { SOUND: "good", FAILING: "warn", RESTING: "bad" };

function TargetServing({ target }: { target: Target }) {
  const { t } = useTranslation("models");
  if (target.servedBy.length === 0) {
    const missing = target.tag === "" ? t("nobody", { place: target.channel }) : t("untagged", { tag: target.tag });
    return <span className="text-[13px] text-bad">✕ {missing}</span>;
  }
  return target.servedBy.map((each) => {
    const state = !each.isEnabled ? "OFF" : !each.serves ? "UNLISTED" : (each.health ?? "NONE");
    return (
      <span key={each.id} className="flex flex-wrap items-center gap-x-2">
        <span className="break-all">{each.name}</span>
        {target.model !== "" && <Mono className="break-all">{target.model}</Mono>}
        <Badge tone={TONES[state] ?? "plain"}>{t(`states.${state}`)}</Badge>
        <span className="text-[12.5px] text-soft">{each.price === null ? UNKNOWN : `$${each.price.input} / $${each.price.output}`}</span>
      </span>
    );
  });
}

function ModelMenu({ model, onEdit }: { model: Model; onEdit: () => void }) {
  const { t } = useTranslation("models");
  const mayWrite = useMay("channels:write");
  if (!mayWrite || model.managedBy === "FILE") return null;
  return <RowMenu name={model.name} onEdit={onEdit} remove={() => deleteModel(model)} text={t("deleteText")} touches="models" />;
}
