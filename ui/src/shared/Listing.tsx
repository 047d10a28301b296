/** What a query lists, as a table: a skeleton while it is asked, and what stands there instead of no rows. */
import type { ReactNode } from "react";
import { Button } from "./Button";
import { Card, Page } from "./Page";
import { Failure, SkeletonRows } from "./states";
import { type Column, Table } from "./Table";

/** As much of a query as what lists it needs. */
interface Query {
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
}

interface ListingProps<Row> {
  label: string;
  found: Query;
  /** Undefined until they are known. */
  rows: readonly Row[] | undefined;
  columns: readonly Column<Row>[];
  empty: ReactNode;
  skeletons?: number;
}

export function Listing<Row extends { id: string }>({ label, found, rows, columns, empty, skeletons }: ListingProps<Row>) {
  if (rows === undefined) return found.isError ? null : <SkeletonRows {...(skeletons === undefined ? {} : { rows: skeletons })} />;
  if (rows.length === 0) return empty;
  return <Table label={label} columns={columns} rows={rows} keyOf={(row) => row.id} />;
}

/** A card that lists, and says so where it could not. */
export function ListCard<Row extends { id: string }>({
  aside,
  children,
  ...listing
}: ListingProps<Row> & { aside?: ReactNode; children?: ReactNode }) {
  const { label, found } = listing;
  return (
    <Card title={label} aside={aside}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      <Listing {...listing} />
      {children}
    </Card>
  );
}

interface ListPageProps<Row> extends Omit<ListingProps<Row>, "label"> {
  title: string;
  lead: string;
  /** What the card of the rows is called. */
  all?: string;
  aside?: ReactNode;
  /** The way to a new one, for who may make it. */
  add: ReactNode;
  /** Below the rows, in their card. */
  below?: ReactNode;
  /** Other cards, and the dialogs that the address opens. */
  children: ReactNode;
}

/** The page of a kind of things that are set up here. */
export function ListPage<Row extends { id: string }>(props: ListPageProps<Row>) {
  const { title, lead, all, aside, add, below, children, ...listing } = props;
  const { found } = listing;
  return (
    <Page title={title} lead={lead} actions={add}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      <Card title={all} aside={aside}>
        <Listing label={title} {...listing} />
        {below}
      </Card>
      {children}
    </Page>
  );
}

interface MoreProps {
  found: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
  label: string;
}

/** The way to what is listed after what is there. */
export function More({ found, label }: MoreProps) {
  if (!found.hasNextPage) return null;
  return (
    <div className="pt-3 text-center">
      <Button isBusy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
        {label}
      </Button>
    </div>
  );
}
