/** The languages of the page: each is one file that is loaded when it is wanted. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";

export const LANGUAGES = { en: "English", "zh-CN": "中文" } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = "longwire-language";
const LOADERS: Record<Language, () => Promise<{ default: Record<string, object> }>> = {
  en: () => import("./en"),
  "zh-CN": () => import("./zh-CN"),
};

function preferred(): Language {
  const kept = localStorage.getItem(KEY);
  if (kept !== null && kept in LANGUAGES) return kept as Language;
  return navigator.languages.some((each) => each.toLowerCase().startsWith("zh")) &&
    !navigator.languages[0]?.startsWith("en")
    ? "zh-CN"
    : "en";
}

async function load(language: Language): Promise<void> {
  const words = (await LOADERS[language]()).default;
  for (const [namespace, texts] of Object.entries(words)) {
    i18next.addResourceBundle(language, namespace, texts);
  }
}

export async function startLanguage(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: preferred(),
    fallbackLng: false,
    defaultNS: "app",
    resources: {},
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  });
  await show(preferred());
}

/** Shows the page in a language from now on, and after a reload. */
export async function speak(language: Language): Promise<void> {
  localStorage.setItem(KEY, language);
  await show(language);
}

async function show(language: Language): Promise<void> {
  await load(language);
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}
