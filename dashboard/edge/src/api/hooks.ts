/** How pages ask the edge service. */
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";

import type { Options } from "@/lib/rest";

import { get } from "./client";
import type { Reply } from "./shapes";

export interface AskOptions extends Pick<Options, "path" | "query"> {
  enabled?: boolean;
  /** Asked again after so many milliseconds, while it is shown. */
  every?: number;
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
    ...(options.every !== undefined && { refetchInterval: options.every }),
    placeholderData: keepPreviousData,
  });
}
