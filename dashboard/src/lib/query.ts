/** What was asked is kept for a moment, and asked again after a change that makes it old. */
import {
  QueryClient,
  useMutation,
  useQueryClient,
  type UseMutationResult,
} from "@tanstack/react-query";

import { ApiError } from "./apiError";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      refetchOnWindowFocus: false,
      // Refusals stay refusals; only a lost connection is worth another try.
      retry: (count, error) => count < 1 && ApiError.from(error).status === 0,
    },
  },
});

/** Whether an answer to `asked` is old after a change below `path`; `$` at its end: of it alone. */
function isBelow(asked: unknown, path: string): boolean {
  if (typeof asked !== "string") return false;
  return path.endsWith("$") ? asked === path.slice(0, -1) : asked.startsWith(path);
}

/** A change; afterwards everything asked below `refresh` is asked again. */
export function useChange<Args, Result = unknown>(
  run: (args: Args) => Promise<Result>,
  refresh: readonly string[],
): UseMutationResult<Result, Error, Args> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: () =>
      client.invalidateQueries({
        predicate: ({ queryKey }) => refresh.some((path) => isBelow(queryKey[0], path)),
      }),
  });
}
