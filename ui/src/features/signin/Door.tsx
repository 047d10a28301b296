/** The frame of the pages before one is signed in. */
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { type Language, LANGUAGES, speak } from "@/shared/i18n/language";
import { ReachBar } from "@/app/ReachBar";

export function Door({ title, lead, children }: { title: string; lead: ReactNode; children: ReactNode }) {
  const { i18n } = useTranslation();
  const other: Language = i18n.language === "en" ? "zh-CN" : "en";
  useEffect(() => {
    document.title = `${title} · Longwire`;
  }, [title]);
  return (
    <div className="flex min-h-dvh flex-col">
      <ReachBar />
      <main className="m-auto w-full max-w-md px-5 py-10">
        <svg viewBox="0 0 400 48" aria-hidden className="mb-6 w-full text-accent">
          <path d="M0 24h400" stroke="currentColor" strokeWidth="1.5" opacity=".4" />
          {[24, 52, 80, 108, 136, 164, 192, 220].map((x, index) => (
            <path
              key={x}
              d={`M${x} ${index === 3 ? 18 : 10}v${index === 3 ? 12 : 28}`}
              stroke="currentColor"
              strokeWidth="5"
              strokeLinecap="round"
              opacity={index === 3 ? 0.45 : 1}
            />
          ))}
          <circle cx="252" cy="24" r="5" fill="currentColor" className="beating" />
        </svg>
        <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
        <div className="mt-1 mb-6 text-soft">{lead}</div>
        <div className="rounded-2xl border border-line bg-card p-6 shadow-card">{children}</div>
        <p className="mt-4 text-center">
          <button type="button" lang={other} className="text-soft underline" onClick={() => void speak(other)}>
            {LANGUAGES[other]}
          </button>
        </p>
      </main>
    </div>
  );
}
