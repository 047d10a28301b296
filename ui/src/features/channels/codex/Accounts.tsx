import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Badge, type Tone } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { Confirm } from "@/shared/Dialog";
import { useFormat } from "@/shared/format";
import { Menu } from "@/shared/Menu";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { type Account, accountsQuery, refreshAccount, removeAccount, setAccountStatus } from "./accounts";
import { Bars } from "./QuotaBars";
import { SignInDialog } from "./SignInDialog";

const TONES: Record<Account["status"], Tone> = { ACTIVE: "good", DISABLED: "plain", SIGN_IN_NEEDED: "bad" };

export function Accounts({ channelID }: { channelID: string }) {
  const { t } = useTranslation("channels");
  const mayWrite = useMay("channels:write");
  const found = useQuery(accountsQuery(channelID));
  const [isOpen, setOpen] = useState(false);
  if (found.isError) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <SkeletonRows rows={2} />;
  const add = mayWrite && (
    <Button icon={<UserPlus size={15} aria-hidden />} onClick={() => setOpen(true)}>
      {t("accounts.add")}
    </Button>
  );
  return (
    <div className="space-y-4">
      {found.data.length === 0 ? (
        <Empty title={t("accounts.none")} action={add}>
          {t("accounts.noneText")}
        </Empty>
      ) : (
        <>
          <ul className="space-y-4">
            {found.data.map((account) => (
              <Row key={account.id} account={account} channelID={channelID} mayWrite={mayWrite} />
            ))}
          </ul>
          {add}
        </>
      )}
      {isOpen && <SignInDialog channelID={channelID} onClose={() => setOpen(false)} />}
    </div>
  );
}

function Row({ account, channelID, mayWrite }: { account: Account; channelID: string; mayWrite: boolean }) {
  const { t } = useTranslation(["channels", "app"]);
  const format = useFormat();
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const changing = useMutation({
    mutationFn: (act: () => Promise<unknown>) => act(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["accounts", channelID] }),
  });
  const isActive = account.status === "ACTIVE";
  return (
    <li className="space-y-2 border-b border-line pb-4 last:border-0 last:pb-0">
      <div className="flex items-start justify-between gap-2">
        <div className="min-w-0">
          <p className="truncate font-medium">{account.email}</p>
          <p className="text-[13px] text-soft">
            {account.plan}
            {account.refreshedAt !== null && ` · ${t("accounts.refreshed", { when: format.ago(account.refreshedAt) })}`}
          </p>
        </div>
        <span className="flex items-center gap-1">
          <Badge tone={TONES[account.status]}>{t(`accounts.status.${account.status}`)}</Badge>
          {mayWrite && (
            <Menu
              label={`${t("app:actions")}: ${account.email}`}
              items={[
                { label: t("accounts.refresh"), run: () => changing.mutate(() => refreshAccount(account.id)) },
                {
                  label: isActive ? t("disable") : t("enable"),
                  run: () => changing.mutate(() => setAccountStatus(account, isActive ? "DISABLED" : "ACTIVE")),
                },
                { label: t("accounts.remove"), isDanger: true, run: () => setAsks(true) },
              ]}
            />
          )}
        </span>
      </div>
      {account.problem !== "" && <p className="text-[13px] text-bad">✕ {account.problem}</p>}
      {account.quota?.limitReached && (
        <p className="text-[13px] text-warn">
          ◐ {t("accounts.limit", { when: format.ago(account.quota.blockedUntil) })}
        </p>
      )}
      {account.quota !== null && <Bars quota={account.quota} />}
      {asks && (
        <Confirm
          title={t("accounts.removeTitle", { email: account.email })}
          action={t("accounts.remove")}
          onClose={() => setAsks(false)}
          onConfirm={() => {
            setAsks(false);
            changing.mutate(() => removeAccount(account));
          }}
        >
          {t("accounts.removeText")}
        </Confirm>
      )}
    </li>
  );
}
