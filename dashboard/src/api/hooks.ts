/** How pages ask the node; how they change something is in `lib/query`. */
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get, type Options } from "./client";
import type { Reply } from "./shapes";

export { queryClient, useChange } from "@/lib/query";

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
