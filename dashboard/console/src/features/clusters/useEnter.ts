import { useToasts } from "@/components/toasts";
import { call } from "@console/api/client";
import type { ClusterRow } from "@console/api/shapes";

import { CLUSTER } from "./paths";

/** Opens the dashboard of a cluster, signed in, in a window of its own. */
export function useEnter(): (cluster: ClusterRow) => Promise<void> {
  const toasts = useToasts();
  return async ({ id, orgId, projectId }) => {
    // Opened by the press itself: what opens later is taken for an advertisement and blocked.
    const opened = window.open("", "_blank");
    try {
      const { url } = await call<{ url: string }>("post", `${CLUSTER}/dashboard`, {
        path: { org: orgId, project: projectId, cluster: id },
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
