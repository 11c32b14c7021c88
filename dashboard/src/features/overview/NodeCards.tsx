import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import type { NodeRow } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { StatusBadge } from "@/components/StatusBadge";
import { formatAny, formatBytes, formatDuration, formatNumber } from "@/lib/format";

function amount(value: NodeRow["memory_used"]): string {
  return typeof value === "number" ? formatBytes(value) : formatAny(value);
}

export function NodeCards({ every }: { every: number }): ReactElement {
  const { t, i18n } = useTranslation("overview");
  const nodes = useGet("/nodes", { every });
  return (
    <>
      <ErrorPanel error={nodes.error} onRetry={() => void nodes.refetch()} />
      <div className="cards">
        {nodes.data?.map((node) => (
          <KeyValues
            key={node.node}
            title={node.node}
            rows={[
              [t("node.status"), <StatusBadge key="status" state={node.node_status} />],
              [t("node.version"), node.version],
              [t("node.uptime"), formatDuration(node.uptime, i18n.language)],
              [t("node.connections"), formatNumber(node.connections)],
              [t("node.live"), formatNumber(node.live_connections)],
              [t("node.memory"), `${amount(node.memory_used)} / ${amount(node.memory_total)}`],
              [t("node.load"), [node.load1, node.load5, node.load15].map(formatAny).join(" / ")],
              [t("node.files"), formatNumber(node.max_fds)],
            ]}
          />
        ))}
      </div>
    </>
  );
}
