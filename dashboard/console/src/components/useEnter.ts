import { useToasts } from "@/components/toasts";
import { call } from "@console/api/client";
import type { ClusterRow } from "@console/api/shapes";

import { CLUSTER } from "./clusterPaths";

type Entered = Pick<ClusterRow, "id" | "orgId" | "projectId">;

/** How a browser gets there: by itself, or through control and the agent; else by what is known. */
export type EntranceWay = "auto" | "direct" | "tunnel";

/** Opens the dashboard of a cluster, or a page of it, signed in, in a window of its own. */
export function useEnter(): (cluster: Entered, via: EntranceWay, page?: string) => Promise<void> {
  const toasts = useToasts();
  return async ({ id, orgId, projectId }, via, page = "") => {
    // Opened by the press itself: what opens later is taken for an advertisement and blocked.
    const opened = window.open("", "_blank");
    try {
      const { url } = await call<{ url: string }>("post", `${CLUSTER}/dashboard`, {
        path: { org: orgId, project: projectId, cluster: id },
        query: { via },
        body: { page },
      });
      const target = new URL(url, window.location.href).href;
      if (opened === null) {
        window.location.assign(target);
        return;
      }
      opened.opener = null;
      opened.location.replace(target);
    } catch (error) {
      opened?.close();
      toasts.failed(error);
    }
  };
}
