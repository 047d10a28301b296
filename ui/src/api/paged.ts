/** Queries whose answers come page by page. */
interface Paged {
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

export const FIRST_PAGE = null as string | null;

export const pageAfter = ({ pageInfo }: Paged): string | null => (pageInfo.hasNextPage ? pageInfo.endCursor : null);
