/** What one should know above all on a page: what is wrong, or unusual, and what mends it. */
import { Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

const LOOKS = {
  bad: { sign: TriangleAlert, box: "border-bad bg-bad-wash", ink: "text-bad", role: "alert" },
  warn: { sign: Info, box: "border-line bg-warn-wash", ink: "text-warn", role: "status" },
} as const;

export function Notice({ tone, title, children }: { tone: keyof typeof LOOKS; title: string; children: ReactNode }) {
  const { sign: Sign, box, ink, role } = LOOKS[tone];
  return (
    <div role={role} className={`flex items-start gap-3 rounded-xl border px-4 py-3 ${box}`}>
      <Sign size={18} aria-hidden className={`mt-0.5 shrink-0 ${ink}`} />
      <div className="min-w-0">
        <p className="font-medium">{title}</p>
        <div>{children}</div>
      </div>
    </div>
  );
}
