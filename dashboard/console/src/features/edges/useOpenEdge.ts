import { useToasts } from "@/components/toasts";
import { call } from "@console/api/client";
import { EDGE } from "@console/components/edgePaths";

interface Opened {
  id: string;
  orgId: string;
  projectId: string;
}

/** Opens the pages of an edge service itself, through the control plane, in a window of their own. */
export function useOpenEdge(): (edge: Opened, page?: string) => Promise<void> {
  const toasts = useToasts();
  return async ({ id, orgId, projectId }, page = "") => {
    // Opened by the press itself: what opens later is taken for an advertisement and blocked.
    const opened = window.open("", "_blank");
    try {
      const { url } = await call<{ url: string }>("post", `${EDGE}/page`, {
        path: { org: orgId, project: projectId, service: id },
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
