/** Who is signed in; how the page looks; the way out. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { KeySquare, Languages, LogOut, Moon, Sun, SunMoon } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { hangUp } from "@/api/live";
import { signOut, useMay, useMe, versionQuery } from "@/api/me";
import { HelpLinks } from "@/features/docs/HelpLinks";
import { looksOf } from "@/shared/Button";
import { type Language, LANGUAGES, speak } from "@/shared/i18n/language";
import { ChangePassword } from "./ChangePassword";
import { setTheme, THEMES, type Theme, useTheme } from "./theme";

const ICONS: Record<Theme, typeof Sun> = { system: SunMoon, light: Sun, dark: Moon };

export function Account({ onGo }: { onGo?: () => void }) {
  const { t, i18n } = useTranslation();
  const { user } = useMe();
  const theme = useTheme();
  const version = useQuery({ ...versionQuery, enabled: useMay("settings:read") });
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [changes, setChanges] = useState(false);
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: (elsewhere) => {
      hangUp();
      queries.clear();
      if (elsewhere === null) void navigate({ to: "/sign-in", search: {} });
      else location.assign(elsewhere);
    },
  });
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  const other: Language = i18n.language === "en" ? "zh-CN" : "en";
  const Icon = ICONS[theme];
  const button = `${looksOf("quiet", true)} w-full !justify-start`;
  return (
    <div className="space-y-0.5 border-t border-line pt-3">
      <p className="truncate px-2.5 font-medium" title={user.email}>
        {user.name || user.email}
      </p>
      <p className="px-2.5 pb-1 text-[13px] text-soft">{t(`roles.${user.role}`)}</p>
      <HelpLinks {...(onGo === undefined ? {} : { onGo })} />
      <button type="button" className={button} onClick={() => setTheme(next)}>
        <Icon size={15} aria-hidden />
        {t(`theme.${theme}`)}
      </button>
      <button type="button" lang={other} className={button} onClick={() => void speak(other)}>
        <Languages size={15} aria-hidden />
        {LANGUAGES[other]}
      </button>
      {user.hasPassword && (
        <button type="button" className={button} onClick={() => setChanges(true)}>
          <KeySquare size={15} aria-hidden />
          {t("changePassword")}
        </button>
      )}
      <button type="button" className={button} onClick={() => leave.mutate()}>
        <LogOut size={15} aria-hidden />
        {t("signOut")}
      </button>
      <p className="px-2.5 pt-1 text-[12px] text-soft">Longwire {version.data?.version ?? ""}</p>
      {changes && <ChangePassword onClose={() => setChanges(false)} />}
    </div>
  );
}
