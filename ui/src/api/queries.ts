/** The cache of answers: what was seen stays on the page while it is asked anew. */
import { MutationCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./errors";

const ONCE_MORE = new Set(["OFFLINE", "INTERNAL", "UNAVAILABLE"]);

export function createQueries(onFailure: (error: unknown) => void): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) => error instanceof ApiError && ONCE_MORE.has(error.code) && count < 4,
        retryDelay: (count) => Math.min(8_000, 500 * 2 ** count),
        refetchOnWindowFocus: true,
        // The page knows better than the browser whether the gateway can be reached.
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
    mutationCache: new MutationCache({
      onError: (error, _variables, _context, mutation) => {
        if (mutation.meta?.["isTold"] !== true) onFailure(error);
      },
    }),
  });
}
