import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMe } from "@/api/me";
import { ChangePassword } from "@/app/ChangePassword";
import { setTheme, type Theme, THEMES, useTheme } from "@/app/theme";
import { Button } from "@/shared/Button";
import { Choice } from "@/shared/Field";
import { type Language, LANGUAGES, speak } from "@/shared/i18n/language";
import { Card } from "@/shared/Page";

/** One's own account: who one is, and the password. */
export function AccountCard() {
  const { t } = useTranslation(["settings", "app"]);
  const { user } = useMe();
  const [changes, setChanges] = useState(false);
  return (
    <Card title={t("account.title")}>
      <dl className="mb-4 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        <dt className="text-soft">{t("account.email")}</dt>
        <dd className="min-w-0">{user.email}</dd>
        <dt className="text-soft">{t("account.role")}</dt>
        <dd>{t(`app:roles.${user.role}`)}</dd>
      </dl>
      <p className="mb-4 text-soft">{t("account.text")}</p>
      <Button onClick={() => setChanges(true)}>{t("app:changePassword")}</Button>
      {changes && <ChangePassword onClose={() => setChanges(false)} />}
    </Card>
  );
}

/** How the page looks and speaks, in this browser. */
export function LooksCard() {
  const { t, i18n } = useTranslation(["settings", "app"]);
  const theme = useTheme();
  return (
    <Card title={t("looks.title")}>
      <div className="space-y-4">
        <p className="text-soft">{t("looks.text")}</p>
        <Choice
          label={t("looks.theme")}
          value={theme}
          options={THEMES.map((each) => ({ value: each, label: t(`app:theme.${each}`) }))}
          onChange={(wanted) => setTheme(wanted as Theme)}
        />
        <div>
          <Choice
            label={t("looks.language")}
            value={i18n.language}
            options={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
            onChange={(wanted) => void speak(wanted as Language)}
          />
        </div>
      </div>
    </Card>
  );
}
