import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import type { ClusterLink, LinkOnNode } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { FigureCard } from "@/components/integration/FigureCard";
import { KeyValues } from "@/components/KeyValues";
import { Page } from "@/components/Page";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { formatBytes, formatNumber, formatTime } from "@/lib/format";
import { segmentOf } from "@/lib/segment";

import { LinkDialog } from "./LinkDialog";
import { EVERY_MS, ONE } from "./links";
import { LinkState } from "./LinkState";
import { LinkSwitch } from "./LinkSwitch";

const FORWARDING = [
  "matched",
  "success",
  "failed",
  "dropped",
  "retried",
  "queuing",
  "inflight",
  "queued_bytes",
  "stored",
  "stored_bytes",
  "rate",
  "rate_last5m",
  "rate_max",
] as const;
const OTHERS = ["routes", "sent_routes", "received", "refused"] as const;

export default function LinkPage(): ReactElement {
  const { t } = useTranslation("clusterLinks");
  const name = segmentOf(useLocation().pathname, 1);
  const mayChange = useMayChange();
  const [isEdited, setEdited] = useState(false);
  const answer = useGet(ONE, { path: { name }, every: EVERY_MS });
  const row = answer.data;
  return (
    <Page
      title={name}
      help={t("about")}
      actions={
        row !== undefined &&
        mayChange && (
          <Button variant="default" onClick={() => setEdited(true)}>
            {t("edit")}
          </Button>
        )
      }
    >
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {row !== undefined && <Facts row={row} />}
      {row !== undefined && isEdited && <LinkDialog link={row} onClose={() => setEdited(false)} />}
    </Page>
  );
}

function Facts({ row }: { row: ClusterLink }): ReactElement {
  const { t } = useTranslation("clusterLinks");
  return (
    <div className="cards">
      <KeyValues
        title={t("field.state")}
        rows={[
          [t("field.state"), <LinkState key="state" row={row} />],
          [t("of.server"), row.server],
          [t("of.topics"), row.topics.length === 0 ? t("nothing") : row.topics.join(", ")],
          [t("field.enabled"), <LinkSwitch key="enable" row={row} />],
        ]}
      />
      {row.node_status.map((node) => (
        <NodeFacts key={node.node} node={node} row={row} />
      ))}
      <LinkFigures name={row.name} />
    </div>
  );
}

/** What waits on disk of a node, and how much may. */
function useStore(node: LinkOnNode, row: ClusterLink): [string, string][] {
  const { t, i18n } = useTranslation("clusterLinks");
  if (node.store === undefined) return [[t("store.title"), t("store.none")]];
  const [state, ...why] = node.store.split(": ");
  const said = t(`store.${state ?? ""}`, { defaultValue: state ?? "", why: why.join(": ") });
  const bytes = formatBytes(node.stored_bytes);
  const most = row.extensions?.store?.max_bytes;
  return [
    [t("store.title"), said],
    [t("figure.stored"), formatNumber(node.stored, i18n.language)],
    [t("store.bytes"), most === undefined ? bytes : t("store.of", { bytes, most })],
    [t("store.oldest"), formatTime(node.stored_since)],
  ];
}

function NodeFacts({ node, row }: { node: LinkOnNode; row: ClusterLink }): ReactElement {
  const { t, i18n } = useTranslation("clusterLinks");
  const reason = (i18n.language === "zh" ? node.reason_zh : node.reason) ?? "";
  const store = useStore(node, row);
  return (
    <KeyValues
      title={node.node}
      rows={[
        [t("field.state"), <StatusBadge key="state" state={node.status} isFault />],
        ...(reason === "" ? [] : [[t("why"), reason] as const]),
        [t("since"), formatTime(node.since)],
        [t("replication"), node.replication],
        [t("inUse"), node.server],
        [t("pool"), node.pool_connected],
        ...store,
      ]}
    />
  );
}

function LinkFigures({ name }: { name: string }): ReactElement {
  const { t } = useTranslation("clusterLinks");
  const mayChange = useMayChange();
  const path = `${ONE}/metrics` as const;
  const answer = useGet(path, { path: { name }, every: EVERY_MS });
  const reset = useAct({
    run: () => call("put", `${path}/reset`, { path: { name } }),
    refresh: [path],
    done: t("reset.done"),
    ask: () => ({
      title: t("reset.title"),
      text: t("reset.text", { name }),
      action: t("reset.action"),
    }),
  });
  const found = answer.data?.metrics;
  const rowsOf = (keys: readonly string[]) =>
    keys.map((key) => [key, t(`figure.${key}`), false] as const);
  return (
    <>
      <FigureCard title={t("sent")} rows={rowsOf(FORWARDING)} figures={found?.forwarding} />
      <FigureCard
        title={t("others")}
        rows={rowsOf(OTHERS)}
        figures={{ ...found?.router, ...found?.receiving }}
        buttons={
          mayChange && (
            <Button
              size="xs"
              variant="default"
              aria-label={t("reset.one", { name })}
              onClick={() => void reset.act()}
            >
              {t("reset.action")}
            </Button>
          )
        }
      />
    </>
  );
}
