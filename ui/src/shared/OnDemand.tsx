/** What is asked for on purpose only: a button first, then what came. */
import { type QueryKey, useQuery, type UseQueryOptions } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Button } from "./Button";
import { Failure, SkeletonRows } from "./states";

interface Props<T, K extends QueryKey> {
  title: string;
  act: string;
  query: UseQueryOptions<T, Error, T, K>;
  children: (data: T) => ReactNode;
}

export function OnDemand<T, K extends QueryKey>({ title, act, query, children }: Props<T, K>) {
  const [isWanted, setWanted] = useState(false);
  const found = useQuery({ ...query, enabled: isWanted });
  return (
    <section aria-label={title} className="space-y-3">
      <h3 className="font-semibold">{title}</h3>
      {!isWanted && <Button onClick={() => setWanted(true)}>{act}</Button>}
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isLoading && <SkeletonRows rows={2} />}
      {found.data !== undefined && children(found.data)}
    </section>
  );
}
