/** How pages ask and change. */
import {
  keepPreviousData,
  QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from "@tanstack/react-query";

import { get, type Options } from "./client";
import { ApiError } from "./error";
import type { Reply } from "./shapes";

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

export interface AskOptions extends Pick<Options, "path" | "query"> {
  enabled?: boolean;
  /** Asked again every so many milliseconds. */
  every?: number | false;
}

export function useGet<P extends string>(
  path: P,
  options: AskOptions = {},
): UseQueryResult<Reply<P>> {
  return useQuery({
    queryKey: [path, options.path ?? {}, options.query ?? {}],
    queryFn: ({ signal }) =>
      get(path, {
        signal,
        ...(options.path && { path: options.path }),
        ...(options.query && { query: options.query }),
      }),
    enabled: options.enabled ?? true,
    refetchInterval: options.every ?? false,
    placeholderData: keepPreviousData,
  });
}

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
