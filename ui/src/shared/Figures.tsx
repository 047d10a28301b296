/** Figures of a page, each below its name; an ellipsis until they are known. */
export function Figures({
  figures,
  isKnown,
  columns,
}: {
  figures: readonly (readonly [string, string])[];
  isKnown: boolean;
  columns: string;
}) {
  return (
    <dl className={`grid grid-cols-2 gap-3 ${columns}`}>
      {figures.map(([name, value]) => (
        <div key={name} className="rounded-xl border border-line bg-card px-4 py-3">
          <dt className="text-[13px] text-soft">{name}</dt>
          <dd className="text-lg font-semibold">{isKnown ? value : "…"}</dd>
        </div>
      ))}
    </dl>
  );
}
